#![deny(dead_code)]

use lockutils::synchronized;

#[synchronized("a")]
fn never_called() {}

fn main() {}

#![deny(unused_variables)]

use lockutils::synchronized;

#[synchronized("a", guard = guard)]
pub fn start() {}

fn main() {}

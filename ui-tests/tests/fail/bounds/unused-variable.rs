#![deny(unused_variables)]

use lockutils::synchronized;

#[synchronized("a")]
pub fn start() {
    let unused = 1;
}

fn main() {}

//! A body may begin with attributes of its own.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn sync_body() -> u32 {
    #![allow(unused_variables)]
    #![allow(unused_mut)]
    let mut unused = 1;
    2
}

#[synchronized("a")]
fn only_attributes() {
    #![allow(unused)]
}

fn main() {
    only_attributes();
    assert_eq!(sync_body(), 2);
}

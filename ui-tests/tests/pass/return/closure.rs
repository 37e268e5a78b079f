//! A closure may be returned.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn closure(add: u32) -> impl Fn(u32) -> u32 {
    move |value| value + add
}

fn main() {
    assert_eq!(closure(1)(2), 3);
}

//! `into()` knows the return type.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn converted(value: u8) -> u64 {
    value.into()
}

fn main() {
    assert_eq!(converted(7), 7);
}

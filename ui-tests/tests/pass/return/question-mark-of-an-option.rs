//! `?` in a function that returns an `Option`.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn try_option(values: &[u32]) -> Option<u32> {
    let first = values.first()?;
    Some(first + 1)
}

fn main() {
    assert_eq!(try_option(&[]), None);
    assert_eq!(try_option(&[1]), Some(2));
}

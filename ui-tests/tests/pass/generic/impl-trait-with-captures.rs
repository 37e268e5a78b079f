//! `impl Trait` as the return type, with `use<..>`.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("rpit")]
fn return_position<'a, T: Clone>(values: &'a [T]) -> impl Iterator<Item = T> + use<'a, T> {
    values.iter().cloned()
}

fn main() {
    assert_eq!(return_position(&[1, 2]).count(), 2);
}

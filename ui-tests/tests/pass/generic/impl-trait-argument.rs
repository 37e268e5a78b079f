//! `impl Trait` as an argument.
#![deny(warnings)]

use lockutils::{LockKey, synchronized};

#[synchronized("apit")]
fn argument_position(values: impl IntoIterator<Item = u32>, key: &impl LockKey) -> u32 {
    let _ = key;
    values.into_iter().sum()
}

fn main() {
    assert_eq!(argument_position([1, 2], &"k"), 3);
}

//! The comma of a turbofish ends no argument.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = pick::<u32, _>(ids, |id| *id))]
fn turbofish(ids: &[u32]) -> bool {
    is_locked(ids[0])
}

fn pick<T, R>(values: &[T], map: impl Fn(&T) -> R) -> R {
    map(&values[0])
}

fn main() {
    assert!(turbofish(&[7, 8]));
}

//! The keys of a list that the body still has.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(keys = &ids)]
fn start(ids: Vec<u32>) -> usize {
    assert!(ids.iter().all(is_locked));
    ids.len()
}

fn main() {
    assert_eq!(start(vec![1, 2]), 2);
}

//! An argument is the key.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = id)]
fn key(id: u32) -> bool {
    is_locked("7") && id == 7
}

fn main() {
    assert!(key(7));
}

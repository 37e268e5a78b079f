//! A sum, and a negated number.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = 1u32 + 2)]
fn arithmetic() -> bool {
    is_locked(3)
}

#[synchronized(key = -id)]
fn negated(id: i32) -> bool {
    is_locked(-id)
}

fn main() {
    assert!(arithmetic() && negated(7));
}

//! Several keys at once.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(keys = [from, to])]
fn transfer(from: u32, to: u32) -> bool {
    is_locked(from) && is_locked(to)
}

fn main() {
    assert!(transfer(1, 2) && transfer(7, 7));
}

//! Braces in a part of a tuple are text, where they name nothing.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = ("{}", id))]
fn start(id: u32) -> bool {
    is_locked(("{}", 7))
}

fn main() {
    assert!(start(7));
}

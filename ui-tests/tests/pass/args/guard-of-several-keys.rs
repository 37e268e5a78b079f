//! One guard for several keys.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(keys = [1, 2], guard = guard)]
fn run() -> bool {
    drop(guard);
    is_locked(1) || is_locked(2)
}

fn main() {
    assert!(!run());
}

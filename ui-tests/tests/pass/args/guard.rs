//! The body drops the guard early.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("a", guard = guard)]
fn run() -> bool {
    let before = is_locked("a");
    drop(guard);
    before && !is_locked("a")
}

fn main() {
    assert!(run());
}

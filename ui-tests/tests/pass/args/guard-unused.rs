//! A guard that is there for its name alone.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("a", guard = _guard)]
fn run() -> bool {
    is_locked("a")
}

fn main() {
    assert!(run());
}

//! A condition decides.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("a", when = locked)]
fn run(locked: bool) -> bool {
    is_locked("a")
}

fn main() {
    assert!(run(true) && !run(false));
}

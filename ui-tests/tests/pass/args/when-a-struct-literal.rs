//! A condition with braces of its own.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

struct Mode {
    locked: bool,
}

#[synchronized("a", when = Mode { locked: id > 5 }.locked)]
fn run(id: u32) -> bool {
    is_locked("a")
}

fn main() {
    assert!(run(7) && !run(3));
}

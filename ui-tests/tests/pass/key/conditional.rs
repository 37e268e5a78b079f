//! An `if` is a key.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = if id > 5 { "big" } else { "small" })]
fn conditional(id: u32) -> bool {
    is_locked("big") && id == 7
}

fn main() {
    assert!(conditional(7));
}

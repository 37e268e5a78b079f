//! Where the condition is false, the key is not evaluated.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = id.unwrap(), when = id.is_some())]
fn run(id: Option<u32>) -> bool {
    is_locked(7)
}

fn main() {
    assert!(run(Some(7)) && !run(None));
}

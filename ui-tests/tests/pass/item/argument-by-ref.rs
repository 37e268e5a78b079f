//! `ref`, `@` and alternatives for arguments.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = *id)]
fn by_ref(ref id: u32, text @ ("a" | "b" | _): &str) -> bool {
    is_locked(id) && text == "a"
}

fn main() {
    assert!(by_ref(7, "a"));
}

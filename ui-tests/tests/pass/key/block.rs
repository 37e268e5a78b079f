//! A block is a key.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = { let digits = id.to_string(); digits + "!" })]
fn block(id: u32) -> bool {
    is_locked(format!("{id}!"))
}

fn main() {
    assert!(block(7));
}

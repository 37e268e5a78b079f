//! The call of a closure is a key.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = (|| id + 1)())]
fn closure(id: u32) -> bool {
    is_locked(id + 1)
}

fn main() {
    assert!(closure(7));
}

//! A part of a string is a key, by reference.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = &name[..2])]
fn prefix(name: &str) -> bool {
    is_locked(&name[..2])
}

fn main() {
    assert!(prefix("abc"));
}

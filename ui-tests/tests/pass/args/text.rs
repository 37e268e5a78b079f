//! A text is the key.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("text")]
fn text() -> bool {
    is_locked("text")
}

#[synchronized(key = "plain",)]
fn text_by_name() -> bool {
    is_locked("plain")
}

fn main() {
    assert!(text() && text_by_name());
    assert!(!is_locked("text"));
}

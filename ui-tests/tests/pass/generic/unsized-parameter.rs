//! A parameter that may be unsized.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use std::borrow::Borrow;

#[synchronized(key = key.borrow())]
fn borrowed<K: Borrow<str> + ?Sized>(key: &K) -> bool {
    is_locked(key.borrow())
}

fn main() {
    assert!(borrowed("a") && borrowed(&"b".to_owned()));
}

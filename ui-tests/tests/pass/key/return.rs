//! `return` in the key returns from the function.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = match name { "" => return 0, name => name })]
fn returns_before_it_locks(name: &str) -> u32 {
    assert!(is_locked(name));
    1
}

fn main() {
    assert_eq!(returns_before_it_locks("") + returns_before_it_locks("a"), 1);
}

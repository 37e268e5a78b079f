//! A function that calls itself.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("a", reentrant)]
fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1) }
}

fn main() {
    assert_eq!(factorial(5), 120);
    assert!(!is_locked("a"));
}

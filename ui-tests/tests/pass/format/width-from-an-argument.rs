//! A capture whose width is captured.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("vm-{id:width$}")]
fn start(id: u32, width: usize) -> bool {
    is_locked("vm-  7")
}

fn main() {
    assert!(start(7, 3));
}

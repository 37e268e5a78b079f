//! A capture with a format spec, after `key =`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = "vm-{id:03}")]
fn captures_by_name(id: u32) -> bool {
    is_locked("vm-007") && id == 7
}

fn main() {
    assert!(captures_by_name(7));
}

//! Several keys that are format strings.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(keys = [format_args!("vm-{from}"), format_args!("vm-{to}")])]
fn migrate(from: u32, to: u32) -> bool {
    is_locked("vm-1") && is_locked("vm-2")
}

fn main() {
    assert!(migrate(1, 2));
}

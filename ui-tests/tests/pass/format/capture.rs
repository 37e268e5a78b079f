//! An argument is captured.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[synchronized("vm-{id}")]
fn captures(id: u32) -> bool {
    is_locked("vm-7") && id == 7
}

#[synchronized("vm-{id}")]
async fn captures_async(id: u32) -> bool {
    is_locked("vm-8") && id == 8
}

fn main() {
    assert!(captures(7) && block_on(captures_async(8)));
    assert!(!is_locked("vm-7"));
}

//! Several captures, one of them twice.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("{host}/{id}/{host}")]
fn start(host: &str, id: u32) -> bool {
    is_locked("a/7/a")
}

fn main() {
    assert!(start("a", 7));
}

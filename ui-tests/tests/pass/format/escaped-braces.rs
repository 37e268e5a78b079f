//! Two braces are one.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("{{vm}}")]
fn escaped_braces() -> bool {
    is_locked("{vm}")
}

fn main() {
    assert!(escaped_braces());
}

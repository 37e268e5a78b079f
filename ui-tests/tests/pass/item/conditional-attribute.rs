//! `cfg_attr` decides whether the attribute is there.
#![deny(warnings)]
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

use lockutils::{is_locked, synchronized};

/// Is there where the other is not.
#[cfg_attr(all(), synchronized("cfg_attr"))]
#[cfg_attr(any(), synchronized("twice"))]
fn conditional() -> bool {
    is_locked("cfg_attr")
}

fn main() {
    assert!(conditional());
}

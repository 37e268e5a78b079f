//! Attributes above and below.
#![deny(warnings)]
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

use lockutils::{is_locked, synchronized};

/// Has attributes on both sides.
#[inline]
#[must_use]
#[synchronized("attributes")]
#[track_caller]
#[cold]
pub(crate) fn attributes() -> bool {
    is_locked("attributes")
}

fn main() {
    assert!(attributes());
}

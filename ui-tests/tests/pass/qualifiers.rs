//! `unsafe`, `extern`, visibility and attributes stay as they are.
#![deny(warnings)]
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

/// # Safety
///
/// `value` must point to a `u32`.
#[synchronized("unsafe")]
pub unsafe fn unsafe_function(value: *const u32) -> u32 {
    unsafe { *value }
}

/// # Safety
///
/// `value` must point to a `u32`.
#[synchronized(key = unsafe { *value })]
pub async unsafe fn unsafe_async_function(value: *const u32) -> bool {
    is_locked(unsafe { *value })
}

/// Has a foreign ABI.
#[synchronized(key = id)]
#[unsafe(no_mangle)]
pub extern "C" fn foreign(id: u32) -> bool {
    is_locked(id)
}

/// Is foreign and unsafe.
#[synchronized]
pub unsafe extern "C" fn foreign_and_unsafe() {}

/// Has attributes on both sides.
#[inline]
#[must_use]
#[synchronized("attributes")]
#[track_caller]
#[cold]
pub(crate) fn attributes() -> bool {
    is_locked("attributes")
}

/// Is there where the other is not.
#[cfg_attr(all(), synchronized("cfg_attr"))]
#[cfg_attr(any(), synchronized("twice"))]
fn conditional() -> bool {
    is_locked("cfg_attr")
}

fn main() {
    assert_eq!(unsafe { unsafe_function(&7) }, 7);
    assert!(block_on(unsafe { unsafe_async_function(&7) }));
    unsafe { foreign_and_unsafe() }
    assert!(foreign(7) && attributes() && conditional());
}

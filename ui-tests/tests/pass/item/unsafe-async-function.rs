//! `async unsafe`, with an unsafe key.
#![deny(warnings)]
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

/// # Safety
///
/// `value` must point to a `u32`.
#[synchronized(key = unsafe { *value })]
pub async unsafe fn unsafe_async_function(value: *const u32) -> bool {
    is_locked(unsafe { *value })
}

fn main() {
    assert!(block_on(unsafe { unsafe_async_function(&7) }));
}

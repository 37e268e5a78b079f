//! `unsafe` reaches into the body.
#![deny(warnings)]
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

use lockutils::synchronized;

/// # Safety
///
/// `value` must point to a `u32`.
#[synchronized("unsafe")]
pub unsafe fn unsafe_function(value: *const u32) -> u32 {
    unsafe { *value }
}

fn main() {
    assert_eq!(unsafe { unsafe_function(&7) }, 7);
}

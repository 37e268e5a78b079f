//! A foreign ABI, and a name for the linker.
#![deny(warnings)]
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

use lockutils::{is_locked, synchronized};

/// Has a foreign ABI.
#[synchronized(key = id)]
#[unsafe(no_mangle)]
pub extern "C" fn foreign(id: u32) -> bool {
    is_locked(id)
}

fn main() {
    assert!(foreign(7));
}

//! A foreign ABI, unsafe.
#![deny(warnings)]
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

use lockutils::synchronized;

/// Is foreign and unsafe.
#[synchronized]
pub unsafe extern "C" fn foreign_and_unsafe() {}

fn main() {
    unsafe { foreign_and_unsafe() }
}

//! Code of others that is called where a panic of it must end nothing.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls foreign code, whose panic is printed and ends here. What it panicked with is foreign
/// too: where dropping that panics in turn, what comes of it is never dropped.
pub(crate) fn contain(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        if let Err(another) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
            mem::forget(another);
        }
    }
}

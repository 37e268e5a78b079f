//! Documentation and other attributes that say something of a function.
#![deny(warnings, missing_docs, rustdoc::all)]
//! A crate.

use lockutils::{is_locked, synchronized};

/// Documented above.
#[synchronized("a")]
/// Documented below.
#[doc = concat!("Documented", " by a macro.")]
#[doc(alias = "start")]
pub fn documented() -> bool {
    //! Documented inside.
    is_locked("a")
}

/** A block.

With lines. */
#[synchronized("a")]
#[doc(hidden)]
#[deprecated(since = "1", note = "old")]
#[must_use = "it is locked"]
pub fn deprecated() -> bool {
    /*! Inside. */
    is_locked("a")
}

#[synchronized("a")]
#[rustfmt::skip]
#[allow(clippy::all)]
#[inline(never)]
#[cold]
/// Hints.
pub   fn   hints()->bool{is_locked("a")}

fn main() {
    #[allow(deprecated)]
    let deprecated = deprecated();
    assert!(documented() && deprecated && hints());
}

//! The only items that expanded code may name. Not public API: what is here
//! changes with the macros, whose version is pinned to this crate's.

use crate::guard::Guard;
use crate::key::{Key, LockKey};
use crate::local::LockFuture;
use crate::site::Site;

pub use crate::local::{Locks, global};
/// Called by their traits' names, so that no bound of this file shows up in an error.
pub use crate::space::{FromFailure, Space};

/// `&dyn`, so that a value that is no key is reported at the key's expression
/// alone, without a bound in this file.
#[inline]
pub fn key(value: &dyn LockKey) -> Key {
    Key::new(value)
}

/// A hold that can't fail, for a function of any return type.
#[inline]
#[track_caller]
pub fn lock(locks: &Locks, key: Key, function: &'static str) -> Guard {
    locks.hold(key, Site::of_function(function))
}

/// [`lock`], for an async function.
#[inline]
#[track_caller]
pub fn lock_async(locks: &Locks, key: Key, function: &'static str) -> LockFuture {
    locks.hold_async(key, Site::of_function(function))
}

/// The annotated function, for a [`Space`].
#[inline]
#[must_use]
#[track_caller]
pub const fn site(function: &'static str) -> Site {
    Site::of_function(function)
}

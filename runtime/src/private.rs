//! The only items that expanded code may name. Not public API: what is here
//! changes with the macros, whose version is pinned to this crate's.

use crate::guard::Guard;
use crate::key::{Key, LockKey};
use crate::local::LockFuture;
use crate::site::Site;
use crate::space::{FromFailure, Space};

pub use crate::local::{Locks, global};

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

/// A hold in a space of the user's, whose type decides whether it can fail.
///
/// # Errors
///
/// As the space's [`Space::acquire`].
#[inline]
#[track_caller]
pub fn acquire<S: Space + ?Sized>(
    space: &S,
    key: Key,
    function: &'static str,
) -> Result<S::Guard, S::Failure> {
    space.acquire(key, Site::of_function(function))
}

/// [`acquire`], for an async function.
#[inline]
#[track_caller]
pub fn acquire_async<S: Space + ?Sized>(space: &S, key: Key, function: &'static str) -> S::Acquire {
    space.acquire_async(key, Site::of_function(function))
}

/// What the function returns where the lock was not taken.
#[inline]
pub fn failed<R: FromFailure<F>, F>(failure: F) -> R {
    R::from_failure(failure)
}

//! The only items that expanded code may name. Not public API: what is here
//! changes with the macros, whose version is pinned to this crate's.
//!
//! Expanded code takes a lock in two statements: [`begin`] evaluates the key, and
//! [`finish`] waits; in an async function [`begin_async`] evaluates the key, and
//! what it gives is awaited.

use crate::key::LockKey;
use crate::site::Site;
use crate::space::{Begun, Space};

pub use crate::local::{Locks, global};
/// Called by its own name, so that no bound of this file shows up in an error.
pub use crate::space::FromFailure;

/// Evaluates the key and takes the lock, unless that needs waiting.
///
/// `&dyn`, so that a value that is no key is reported at the key's expression
/// alone, without a bound in this file.
#[inline]
#[track_caller]
pub fn begin<S: Space + ?Sized>(
    key: &dyn LockKey,
    space: &S,
    function: &'static &'static str,
) -> Begun<S> {
    space.begin(key, Site::of_function(function))
}

/// Waits for the lock, if that is still to be done.
///
/// # Errors
///
/// As the space's [`Space::block`].
#[inline]
pub fn finish<S: Space + ?Sized>(begun: Begun<S>) -> Result<S::Guard, S::Failure> {
    match begun {
        Begun::Held(guard) => Ok(guard),
        Begun::Wait(wait) => S::block(wait),
    }
}

/// Evaluates the key, and makes ready to wait in a task.
#[inline]
#[track_caller]
pub fn begin_async<S: Space + ?Sized>(
    key: &dyn LockKey,
    space: &S,
    function: &'static &'static str,
) -> S::Wait {
    space.begin_async(key, Site::of_function(function))
}

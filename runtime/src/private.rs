//! The only items that expanded code may name. Not public API: what is here
//! changes with the macros, whose version is pinned to this crate's.
//!
//! Expanded code takes a lock in two statements: [`Space::begin`] evaluates the key,
//! and [`finish`] waits. In an async function it is [`Space::begin_async`], and what
//! that gives is awaited.

use crate::site::Site;
use crate::space::Begun;

pub use crate::local::{Locks, global};
pub use crate::site::Function;
/// Called by their traits' names, so that no bound of this file shows up in an error.
pub use crate::space::{FromFailure, Space};

/// The annotated function.
#[inline]
#[must_use]
pub const fn site(function: &'static Function) -> Site {
    Site::of_function(function)
}

/// Waits for the lock, if that is still to be done.
///
/// # Errors
///
/// As the space's [`Space::block`].
#[inline]
#[track_caller]
pub fn finish<S: Space + ?Sized>(begun: Begun<S>) -> Result<S::Guard, S::Failure> {
    match begun {
        Begun::Held(held) => Ok(S::Guard::from(held)),
        Begun::Wait(wait) => S::block(wait),
    }
}

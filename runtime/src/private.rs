//! The only items that expanded code may name. Not public API: what is here
//! changes with the macros, whose version is pinned to this crate's.
//!
//! Expanded code takes a lock in two statements: [`Space::begin`] evaluates the key,
//! and [`finish`], [`finish_for`] or [`finish_now`] waits, or one of them that lets a thread
//! re-enter. In an async function it is [`Space::begin_async`], which is told the [`Task`], and [`finish_async`] or another.

use crate::error::Error;
use crate::key::{Key, LockKey};
use crate::site::Site;
use crate::space::Reentry;
use std::mem;

/// The space that `external` means.
pub use crate::file::file_locks as external;
pub use crate::given::{Given, LivesOn};
pub use crate::local::{Locks, global};
pub use crate::returned::{Returned, RunsDuringTheCall};
pub use crate::site::Function;
/// Called by their traits' names, so that no bound of this file shows up in an error.
pub use crate::space::{Begun, FromFailure, Space, Task, Terms, Wait};
pub use std::time::Duration;
pub use std::vec::Vec;

/// The annotated function.
#[inline]
#[must_use]
pub const fn site(function: &'static Function) -> Site {
    Site::of_function(function)
}

/// Adds one of the keys of a function that locks several.
#[inline]
pub fn add(keys: &mut Vec<Key>, key: &dyn LockKey) {
    keys.push(Key::of(key));
}

/// The key of a function that takes its lock later.
#[inline]
#[must_use]
pub fn key(key: &dyn LockKey) -> Key {
    Key::of(key)
}

/// Waits for the lock, if that is still to be done.
///
/// # Errors
///
/// As [`Wait::block`].
#[inline]
#[track_caller]
pub fn finish<W: Wait>(begun: Begun<W::Held, W>) -> Result<W::Guard, W::Failure> {
    match begun {
        Begun::Held(held) => Ok(W::Guard::from(held)),
        Begun::Wait(wait) => wait.block(Reentry::Refused),
    }
}

/// As [`finish`], but goes straight in if the thread holds the lock.
///
/// # Errors
///
/// As [`finish`].
#[inline]
#[track_caller]
pub fn finish_reentrant<W: Wait>(begun: Begun<W::Held, W>) -> Result<W::Guard, W::Failure> {
    match begun {
        Begun::Held(held) => Ok(W::Guard::from(held)),
        Begun::Wait(wait) => wait.block(Reentry::Allowed),
    }
}

/// Waits for the lock until the time is over, if that is still to be done.
///
/// # Errors
///
/// As [`Wait::block_for`].
#[inline]
pub fn finish_for<W: Wait>(begun: Begun<W::Held, W>, timeout: Duration) -> Result<W::Guard, Error> {
    match begun {
        Begun::Held(held) => Ok(W::Guard::from(held)),
        Begun::Wait(wait) => wait.block_for(Reentry::Refused, timeout),
    }
}

/// As [`finish_for`], but goes straight in if the thread holds the lock.
///
/// # Errors
///
/// As [`finish_for`].
#[inline]
pub fn finish_for_reentrant<W: Wait>(
    begun: Begun<W::Held, W>,
    timeout: Duration,
) -> Result<W::Guard, Error> {
    match begun {
        Begun::Held(held) => Ok(W::Guard::from(held)),
        Begun::Wait(wait) => wait.block_for(Reentry::Allowed, timeout),
    }
}

/// Tries to take the lock, if that is still to be done.
///
/// # Errors
///
/// As [`Wait::try_now`].
#[inline]
pub fn finish_now<W: Wait>(begun: Begun<W::Held, W>) -> Result<W::Guard, Error> {
    match begun {
        Begun::Held(held) => Ok(W::Guard::from(held)),
        Begun::Wait(wait) => wait.try_now(Reentry::Refused),
    }
}

/// As [`finish_now`], but goes straight in if the thread holds the lock.
///
/// # Errors
///
/// As [`finish_now`].
#[inline]
pub fn finish_now_reentrant<W: Wait>(begun: Begun<W::Held, W>) -> Result<W::Guard, Error> {
    match begun {
        Begun::Held(held) => Ok(W::Guard::from(held)),
        Begun::Wait(wait) => wait.try_now(Reentry::Allowed),
    }
}

/// As [`finish`], in a task.
///
/// # Errors
///
/// As [`finish`].
#[inline]
pub async fn finish_async<W: Wait>(
    begun: Begun<W::AsyncHeld, W>,
) -> Result<W::AsyncGuard, W::Failure> {
    match begun {
        Begun::Held(held) => Ok(W::AsyncGuard::from(held)),
        Begun::Wait(wait) => wait.await,
    }
}

/// As [`finish_for`], in a task.
///
/// # Errors
///
/// As [`finish_for`].
#[inline]
pub async fn finish_for_async<W: Wait>(
    begun: Begun<W::AsyncHeld, W>,
    timeout: Duration,
) -> Result<W::AsyncGuard, Error> {
    match begun {
        Begun::Held(held) => Ok(W::AsyncGuard::from(held)),
        Begun::Wait(wait) => wait.timed(timeout).await,
    }
}

/// As [`finish_now`], in a task.
///
/// # Errors
///
/// As [`finish_now`].
#[inline]
pub async fn finish_now_async<W: Wait>(
    begun: Begun<W::AsyncHeld, W>,
) -> Result<W::AsyncGuard, Error> {
    match begun {
        Begun::Held(held) => Ok(W::AsyncGuard::from(held)),
        Begun::Wait(wait) => wait.try_async().await,
    }
}

/// What a function returns that says so itself, in a closure.
#[cold]
pub fn or_else<R>(failure: impl Into<Error>, or_else: impl FnOnce(Error) -> R) -> R {
    or_else(failure.into())
}

/// What such a function will say, if it takes its lock later. Has the compiler know what the
/// closure is for.
#[inline]
pub const fn kept<R, F: FnOnce(Error) -> R>(or_else: F) -> F {
    or_else
}

/// The same for what is no closure, where nothing is to be deduced of parameters, so that the
/// compiler can say what it has to be.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`or_else` is called with the error, and `{Self}` can't be called",
    label = "expected a function or a closure that takes a `lockutils::Error`",
    note = "for a value that is the same whatever the error is, write `or_else = |_| ..`"
)]
pub trait OrElse<R> {
    /// As [`or_else`].
    fn give(self, failure: impl Into<Error>) -> R;
    /// As [`kept`].
    #[must_use]
    fn kept(self) -> Self;
}

// Else the error shows the bound of this line, and not the message above.
#[diagnostic::do_not_recommend]
impl<R, F: FnOnce(Error) -> R> OrElse<R> for F {
    #[cold]
    fn give(self, failure: impl Into<Error>) -> R {
        self(failure.into())
    }

    fn kept(self) -> Self {
        self
    }
}

/// Stands around the statements before the `async` block that a body ends in. Where they are
/// left on another way than to the block, it is dropped after what it borrows, and that
/// doesn't compile.
#[derive(Debug)]
pub struct Passed<'a>(pub &'a ());

impl Passed<'_> {
    /// The block comes next.
    #[inline]
    pub const fn pass(self) {
        mem::forget(self);
    }
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {}
}

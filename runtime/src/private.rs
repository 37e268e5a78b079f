//! The only items that expanded code may name. Not public API: what is here
//! changes with the macros, whose version is pinned to this crate's.
//!
//! Expanded code takes a lock in two statements: [`Space::begin`] evaluates the key,
//! and [`finish`], [`finish_for`] or [`finish_now`] waits. In an async function it is
//! [`Space::begin_async`], which is told the [`Task`], and [`finish_async`] or another.

use crate::acquire::Acquire;
use crate::drive::Machine;
use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::key::{Key, LockKey};
use crate::site::Site;
use crate::table::policy::Reentry;
use std::mem;

/// The space that `external` means.
pub use crate::default::file_locks as external;
pub use crate::given::{Given, LivesOn};
pub use crate::global::global;
pub use crate::local::Locks;
pub use crate::owner::Task;
pub use crate::returned::{Returned, RunsDuringTheCall};
pub use crate::site::Function;
/// Called by their traits' names, so that no bound of this file shows up in an error.
pub use crate::space::{Begun, FromFailure, Space};
pub use crate::table::policy::Mode;
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

/// What is to be waited for in any case.
#[inline]
#[must_use]
pub fn waiting<H, M: Machine>(acquire: Acquire<M>) -> Begun<H, M> {
    Begun::Wait(Box::new(acquire))
}

/// Has a thread go straight in if it holds the lock.
#[inline]
#[must_use]
pub fn reentrant<M: Machine>(mut begun: Begun<M::Quick, M>) -> Begun<M::Quick, M> {
    if let Begun::Wait(acquire) = &mut begun {
        acquire.set_reentry(Reentry::Allowed);
    }
    begun
}

/// Waits for the lock, if that is still to be done.
///
/// # Errors
///
/// As [`Acquire::block`](Acquire::block).
#[inline]
#[track_caller]
pub fn finish<M: Machine>(begun: Begun<M::Quick, M>) -> Result<Guard, M::Failure> {
    match begun {
        Begun::Held(held) => Ok(held.into()),
        Begun::Wait(acquire) => acquire.block(),
    }
}

/// Waits for the lock until the time is over, if that is still to be done.
///
/// # Errors
///
/// As [`Acquire::block_for`](Acquire::block_for).
#[inline]
pub fn finish_for<M: Machine>(
    begun: Begun<M::Quick, M>,
    timeout: Duration,
) -> Result<Guard, Error> {
    match begun {
        Begun::Held(held) => Ok(held.into()),
        Begun::Wait(acquire) => acquire.block_for(timeout),
    }
}

/// Tries to take the lock, if that is still to be done.
///
/// # Errors
///
/// As [`Acquire::try_now`](Acquire::try_now).
#[inline]
pub fn finish_now<M: Machine>(begun: Begun<M::Quick, M>) -> Result<Guard, Error> {
    match begun {
        Begun::Held(held) => Ok(held.into()),
        Begun::Wait(acquire) => acquire.try_now(),
    }
}

/// As [`finish`], in a task.
///
/// # Errors
///
/// As [`finish`].
#[inline]
pub async fn finish_async<M: Machine>(
    begun: Begun<M::AsyncQuick, M>,
) -> Result<AsyncGuard, M::Failure> {
    match begun {
        Begun::Held(held) => Ok(held.into()),
        Begun::Wait(acquire) => acquire.await,
    }
}

/// As [`finish_for`], in a task.
///
/// # Errors
///
/// As [`finish_for`].
#[inline]
pub async fn finish_for_async<M: Machine>(
    begun: Begun<M::AsyncQuick, M>,
    timeout: Duration,
) -> Result<AsyncGuard, Error> {
    match begun {
        Begun::Held(held) => Ok(held.into()),
        Begun::Wait(acquire) => unboxed(acquire).timed(timeout).await,
    }
}

/// As [`finish_now`], in a task.
///
/// # Errors
///
/// As [`finish_now`].
#[inline]
pub async fn finish_now_async<M: Machine>(
    begun: Begun<M::AsyncQuick, M>,
) -> Result<AsyncGuard, Error> {
    match begun {
        Begun::Held(held) => Ok(held.into()),
        Begun::Wait(acquire) => unboxed(acquire).try_async().await,
    }
}

/// Frees the box at once. Moved out of in an `async fn`, it would be kept in the future, and be
/// freed at its end.
#[expect(clippy::boxed_local, reason = "it is to be freed here")]
fn unboxed<T>(boxed: Box<T>) -> T {
    *boxed
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

//! The only items that expanded code may name. Not public API: what is here
//! changes with the macros, whose version is pinned to this crate's.
//!
//! Expanded code takes a lock in two statements: [`Space::begin`] evaluates the key, or
//! [`Space::begin_reentrant`], and a method of [`Begun`] waits. In an async function it is [`Space::begin_async`], which is told
//! the [`Task`]: that is known only in a poll, and by then the key is to be dropped, so both
//! are awaited.
//!
//! Most functions name no space, and then it is one of this process, whose locks can't fail. For
//! these both statements are functions without parameters of type, [`begin`] and [`Begun::lock`]:
//! the compiler takes a fifth less for such a function, since it has no trait to ask. For the same
//! reason those that need no more than a key, or have a lock of their own, say no more:
//! [`begin_global`] and [`begin_own`]; and what an async one has begun is a future by itself,
//! [`Entering`], and not of a method of it.
//!
//! What has a key is inlined as in `local`.

use crate::acquire::Acquire;
use crate::begun::Begun;
use crate::drive::{GIVEN, Machine, Sharable};
use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::key::{Key, LockKey};
use crate::local::{InProcess, Thin};
use crate::site::Site;
use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The space that `external` means.
#[cfg(feature = "file")]
pub use crate::default::file_locks as external;
pub use crate::given::{Given, LivesOn};
pub use crate::global::global;
pub use crate::key::pieces::{Captured, Format, PiecedFormat};
pub use crate::keys::Keys;
pub use crate::local::Locks;
pub use crate::loss::{CanBeLost, HeldThroughout, Unseen, until_lost};
pub use crate::owner::Task;
pub use crate::returned::{Returned, RunsDuringTheCall};
pub use crate::site::Function;
/// Called by their traits' names, so that no bound of this file shows up in an error.
pub use crate::space::{FromFailure, Space};
pub use crate::table::policy::Mode;
#[cfg(feature = "attribute")]
pub use lockutils_macros::format_key;
pub use std::time::Duration;

/// The annotated function.
#[inline]
#[must_use]
pub const fn site(function: &'static Function) -> Site {
    Site::of_function(function)
}

/// [`Space::begin`] of a space of this process.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin(
    space: &Locks,
    key: &dyn LockKey,
    mode: Mode,
    site: Site,
) -> Begun<Thin<Guard>, InProcess> {
    space.begin(key, mode, site)
}

/// [`Space::begin_reentrant`] of a space of this process.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin_reentrant(
    space: &Locks,
    key: &dyn LockKey,
    mode: Mode,
    site: Site,
) -> Begun<Thin<Guard>, InProcess> {
    space.begin_reentrant(key, mode, site)
}

/// [`Space::begin_async`] of a space of this process.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin_async(
    space: &Locks,
    key: &dyn LockKey,
    mode: Mode,
    site: Site,
    task: Task,
) -> Entering {
    Entering(Some(space.begin_async(key, mode, site, task)))
}

/// [`begin`] of an exclusive lock of the process-wide space.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin_global(
    key: &dyn LockKey,
    function: &'static Function,
) -> Begun<Thin<Guard>, InProcess> {
    global().begin(key, Mode::Exclusive, site(function))
}

/// [`begin_async`] of an exclusive lock of the process-wide space.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin_global_async(key: &dyn LockKey, function: &'static Function, task: Task) -> Entering {
    begin_async(global(), key, Mode::Exclusive, site(function), task)
}

/// An annotated function that has a lock of its own.
#[derive(Debug)]
pub struct Own {
    locks: Locks,
    function: Function,
}

impl Own {
    /// The function with this path and name, whose attribute is the caller.
    #[must_use]
    #[track_caller]
    pub const fn new(path: &'static str, name: &'static str) -> Self {
        Self {
            locks: Locks::new(path),
            function: Function::new(name),
        }
    }
}

/// [`begin`] of a function's own lock, whose key has no text.
#[inline]
pub fn begin_own(own: &'static Own) -> Begun<Thin<Guard>, InProcess> {
    own.locks.begin_empty(site(&own.function))
}

/// [`begin_async`] of a function's own lock.
#[inline]
pub fn begin_own_async(own: &'static Own, task: Task) -> Entering {
    let site = site(&own.function);
    begin_async(&own.locks, &"", Mode::Exclusive, site, task)
}

/// What a thread has begun in this process.
impl Begun<Thin<Guard>, InProcess> {
    /// [`Begun::block`], which can't fail.
    #[inline]
    #[track_caller]
    pub fn lock(self) -> Guard {
        match self {
            Self::Held(held) => held.into(),
            Self::Wait(acquire) => block(acquire),
        }
    }
}

/// Apart from the annotated function, of which it would be the largest part. Who calls a large one keeps more on the
/// stack, and what is written there has to be written before the lock is taken.
#[cold]
#[inline(never)]
#[track_caller]
#[expect(
    clippy::boxed_local,
    reason = "to take it out of its box is a part of it"
)]
fn block(acquire: Box<Acquire<InProcess>>) -> Guard {
    let Ok(guard) = acquire.block();
    guard
}

/// What a task has begun in this process, where waiting can't fail. It is what is awaited, and not what a
/// method gives, so that what holds a lock that was free isn't moved once more.
#[must_use = "a future takes no lock until it is awaited"]
#[derive(Debug)]
pub struct Entering(Option<Begun<Thin<AsyncGuard>, InProcess>>);

impl Entering {
    /// [`Begun::wait`].
    #[inline]
    pub fn wait(self) -> impl Future<Output = Result<AsyncGuard, Infallible>> {
        self.begun().wait()
    }

    /// [`Begun::timed`].
    #[inline]
    pub fn timed(self, timeout: Duration) -> impl Future<Output = Result<AsyncGuard, Error>> {
        self.begun().timed(timeout)
    }

    /// [`Begun::try_async`].
    #[inline]
    pub fn try_async(self) -> impl Future<Output = Result<AsyncGuard, Error>> {
        self.begun().try_async()
    }

    #[inline]
    fn begun(self) -> Begun<Thin<AsyncGuard>, InProcess> {
        self.0.expect(GIVEN)
    }
}

impl Future for Entering {
    type Output = AsyncGuard;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AsyncGuard> {
        if let Some(Begun::Wait(acquire)) = &mut self.0 {
            return Pin::new(acquire).poll(context).map(|Ok(guard)| guard);
        }
        match self.0.take() {
            Some(Begun::Held(held)) => Poll::Ready(held.into()),
            _ => panic!("{GIVEN}"),
        }
    }
}

/// Adds one of the keys of a function that locks several.
#[inline]
pub fn add(keys: &mut Keys, key: &dyn LockKey) {
    keys.add(key);
}

/// The space of a function that asks for a shared hold.
#[inline]
pub const fn sharable<S: Space<Machine: Sharable> + ?Sized>(space: &S) -> &S {
    space
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

/// What a function returns that says so itself, in a closure.
#[cold]
pub fn or_else<R>(failure: impl Into<Error>, or_else: impl FnOnce(Error) -> R) -> R {
    or_else(failure.into())
}

/// Keeps the `or_else` of a function that takes its lock later. Its bound tells the compiler the
/// closure's argument.
#[inline]
pub const fn kept<R, F: FnOnce(Error) -> R>(or_else: F) -> F {
    or_else
}

/// What such a function returns whose lock was taken on a condition.
#[cold]
pub fn or_else_of_taken<R>(failure: Error, or_else: Option<impl FnOnce(Error) -> R>) -> R {
    or_else.expect("a lock that is lost was taken")(failure)
}

/// No value of a type, which tells the compiler what an `async` block gives.
#[inline]
#[must_use]
pub const fn no_value<T>() -> Option<T> {
    None
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

//! The seam between the attribute and the lock engines.
//!
//! Expanded code calls a [`Space`] by static dispatch. In two steps: the space makes a
//! [`Wait`] of the key, or takes the lock at once if that needs no waiting; and the
//! `Wait`, which borrows nothing, is driven by a thread or a task, for as long as the
//! caller wants to wait.
//!
//! What waiting can fail with is a type: [`Locks`](crate::Locks) has no failure
//! ([`Infallible`]), so a function of any return type can wait for it; where an engine's
//! failure is [`Error`], the function must have a place for it, see [`FromFailure`]. Who
//! doesn't wait to the end, by a timeout or a try, can always fail.

use crate::error::Error;
use crate::key::{Key, LockKey};
use crate::owner::Owner;
use crate::site::Site;
use std::convert::Infallible;
use std::future;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;

/// A lock space: where keys mean something.
///
/// This is what a lock engine implements. Users name a space in
/// `#[synchronized(locks = SPACE, ..)]` and otherwise call its own methods.
///
/// Also implemented for references, `Box`, `Rc`, `Arc` and `LazyLock` of a space.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock space",
    label = "not a lock space",
    note = "`locks = ..` takes a `lockutils::Locks`, such as a `static` or a field: `locks = self.locks`"
)]
pub trait Space {
    /// A lock of the space, or several, being waited for.
    type Wait: Wait;

    /// Makes ready to wait for the lock of `key`, in a thread or a task. Takes nothing yet.
    fn wait(&self, key: &dyn LockKey, terms: Terms, site: Site) -> Self::Wait;

    /// Makes ready to wait for the locks of all of `keys`, in a thread or a task. They may
    /// come in any order, and more than once; the space takes each once, and in an order
    /// that is the same for all callers.
    fn wait_all(&self, keys: Vec<Key>, terms: Terms, site: Site) -> Self::Wait;

    /// Takes the lock of `key` for a thread if that needs no waiting, and else makes ready
    /// to wait. Either way nothing of `key` is borrowed afterwards.
    #[inline]
    fn begin(
        &self,
        key: &dyn LockKey,
        terms: Terms,
        site: Site,
    ) -> Begun<<Self::Wait as Wait>::Held, Self::Wait> {
        Begun::Wait(self.wait(key, terms, site))
    }

    /// The same for a task.
    #[inline]
    fn begin_async(
        &self,
        key: &dyn LockKey,
        terms: Terms,
        site: Site,
        _task: Task,
    ) -> Begun<<Self::Wait as Wait>::AsyncHeld, Self::Wait> {
        Begun::Wait(self.wait(key, terms, site))
    }
}

/// How a lock is to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Together with other shared holders.
    pub shared: bool,
}

impl Terms {
    /// By one holder alone.
    pub const EXCLUSIVE: Self = Self { shared: false };
    /// Together with other shared holders.
    pub const SHARED: Self = Self { shared: true };
}

/// Whether whoever holds the lock already goes straight in.
///
/// It is for those who block, and no part of [`Terms`]: a task that awaits a lock has no way to
/// say it, since the branches of a `join!` are one task, and each of them is to wait for the
/// others.
///
/// ```compile_fail,E0061
/// # async fn f(wait: impl lockutils::engine::Wait) {
/// use lockutils::engine::Reentry;
///
/// let _ = wait.try_async(Reentry::Allowed).await;
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reentry {
    /// A thread that holds the lock can't have it again.
    Refused,
    /// A thread that holds the lock goes straight in.
    Allowed,
}

/// A task, as far as a lock engine knows it: by its waker.
#[derive(Clone, Copy, Debug)]
pub struct Task(pub(crate) Owner);

impl Task {
    /// The task that is being polled.
    pub fn current() -> impl Future<Output = Self> + Send {
        future::poll_fn(|context| Poll::Ready(Self(Owner::task(context.waker()))))
    }
}

/// A lock, or several, being waited for. Dropping it leaves the queue; it borrows nothing.
///
/// Awaited, it is the wait of a task.
pub trait Wait: Future<Output = Result<Self::AsyncGuard, Self::Failure>> + Sized {
    /// A hold as [`Space::begin`] gives it: the guard, or something smaller that it can be
    /// made of. Dropping it releases. As the guard, it is to stay in its thread.
    type Held;
    /// The same as [`Space::begin_async`] gives it, for a task.
    type AsyncHeld;
    /// A hold of a thread.
    type Guard: From<Self::Held>;
    /// A hold of a task.
    type AsyncGuard: From<Self::AsyncHeld>;
    /// What waiting can fail with: [`Infallible`] or [`Error`].
    type Failure: Into<Error>;
    /// The wait of a task that ends with the time.
    type Timed: Future<Output = Result<Self::AsyncGuard, Error>>;
    /// The try of a task. Not ready at once where trying takes time, as with files.
    type Try: Future<Output = Result<Self::AsyncGuard, Error>>;

    /// Blocks the thread until it has the lock.
    ///
    /// # Errors
    ///
    /// None, if [`Wait::Failure`] is [`Infallible`]; else why the engine could
    /// not take the lock.
    #[track_caller]
    fn block(self, reentry: Reentry) -> Result<Self::Guard, Self::Failure>;

    /// Blocks the thread until it has the lock, or the time is over, of which zero is one
    /// try.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout),
    /// [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock), or as [`Wait::block`].
    fn block_for(self, reentry: Reentry, timeout: Duration) -> Result<Self::Guard, Error>;

    /// Takes the lock for a thread if that needs no waiting.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if somebody holds the lock, or as
    /// [`Wait::block`].
    fn try_now(self, reentry: Reentry) -> Result<Self::Guard, Error>;

    /// Waits in a task until it has the lock, or the time is over, as [`Wait::block_for`].
    fn timed(self, timeout: Duration) -> Self::Timed;

    /// Takes the lock for a task if that needs no waiting, as [`Wait::try_now`].
    fn try_async(self) -> Self::Try;
}

/// What [`Space::begin`] or [`Space::begin_async`] has come to.
///
/// What a thread holds by it is the thread's, as a [`Guard`](crate::Guard) is:
///
/// ```compile_fail,E0277
/// use lockutils::engine::{Begun, Space, Terms};
/// use lockutils::{Guard, Site};
///
/// let begun = lockutils::global().begin(&"key", Terms::EXCLUSIVE, Site::here());
/// if let Begun::Held(held) = begun {
///     std::thread::spawn(move || drop(Guard::from(held)));
/// }
/// ```
#[derive(Debug)]
pub enum Begun<H, W> {
    /// The lock was free, and this holds it.
    Held(H),
    /// The lock has to be waited for.
    Wait(W),
}

macro_rules! by_reference {
    ($([$($maybe:tt)?] $type:ty),*) => {$(
        impl<S: Space $(+ $maybe Sized)?> Space for $type {
            type Wait = S::Wait;

            fn wait(&self, key: &dyn LockKey, terms: Terms, site: Site) -> S::Wait {
                (**self).wait(key, terms, site)
            }

            fn wait_all(&self, keys: Vec<Key>, terms: Terms, site: Site) -> S::Wait {
                (**self).wait_all(keys, terms, site)
            }

            #[inline]
            fn begin(
                &self,
                key: &dyn LockKey,
                terms: Terms,
                site: Site,
            ) -> Begun<<S::Wait as Wait>::Held, S::Wait> {
                (**self).begin(key, terms, site)
            }

            #[inline]
            fn begin_async(
                &self,
                key: &dyn LockKey,
                terms: Terms,
                site: Site,
                task: Task,
            ) -> Begun<<S::Wait as Wait>::AsyncHeld, S::Wait> {
                (**self).begin_async(key, terms, site, task)
            }
        }
    )*};
}

by_reference!([?] &S, [?] Box<S>, [?] Rc<S>, [?] Arc<S>, [] LazyLock<S>);

/// A return type that has a place for a lock's failure.
///
/// The failure is the trait's parameter, so that a lock that can't fail asks
/// nothing of the return type.
#[diagnostic::on_unimplemented(
    message = "this lock can fail, and `{Self}` has no place for `lockutils::Error`",
    label = "expected `Result<_, E>` where `E: From<lockutils::Error>`",
    note = "return `Result<_, E>` and implement `From<lockutils::Error> for E`, or say in the attribute what to return: `or_else = |error| ..`"
)]
pub trait FromFailure<F> {
    /// The value to return in place of running the body.
    fn from_failure(failure: F) -> Self;
}

impl<R> FromFailure<Infallible> for R {
    #[inline]
    fn from_failure(failure: Infallible) -> Self {
        match failure {}
    }
}

// Else the error for an `E` without `From` shows this line, and not the message above.
#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> FromFailure<Error> for Result<T, E> {
    fn from_failure(failure: Error) -> Self {
        Err(E::from(failure))
    }
}

//! The seam between the attribute and the lock engines.
//!
//! Expanded code calls a [`Space`] by static dispatch. What it can fail with is a
//! type: [`Locks`](crate::Locks) has no failure ([`Infallible`]), so a function
//! of any return type can wait for it; where an engine's failure is
//! [`Error`], the function must have a place for it, see [`FromFailure`].

use crate::error::Error;
use crate::key::LockKey;
use crate::site::Site;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

/// A lock space: where keys mean something.
///
/// This is what a lock engine implements. Users name a space in
/// `#[synchronized(locks = SPACE, ..)]` and otherwise call its own methods.
///
/// Also implemented for references, `Box`, `Rc` and `Arc` of a space.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock space",
    label = "not a lock space",
    note = "`locks = ..` takes a `lockutils::Locks`, such as a `static` or a field: `locks = self.locks`"
)]
pub trait Space {
    /// A hold of a thread.
    type Guard: From<Self::Held>;
    /// A hold of a thread as [`Space::begin`] gives it: the guard, or something smaller
    /// that it can be made of. Dropping it releases.
    type Held;
    /// A hold of a task.
    type AsyncGuard;
    /// What waiting for a lock can fail with: [`Infallible`] or [`Error`].
    type Failure;
    /// A lock being waited for. Awaited, it is the wait of a task. Dropping it
    /// leaves the queue; it borrows nothing.
    type Wait: Future<Output = Result<Self::AsyncGuard, Self::Failure>>;

    /// Takes the lock of `key` for a thread if that needs no waiting, and else makes
    /// ready to wait, so that nothing of `key` is borrowed while it does.
    fn begin(&self, key: &dyn LockKey, site: Site) -> Begun<Self>;

    /// Blocks the thread until it has the lock.
    ///
    /// # Errors
    ///
    /// None, if [`Space::Failure`] is [`Infallible`]; else why the engine could
    /// not take the lock.
    #[track_caller]
    fn block(wait: Self::Wait) -> Result<Self::Guard, Self::Failure>;

    /// Makes ready to wait for the lock of `key` in a task. Takes nothing until it is
    /// awaited.
    fn begin_async(&self, key: &dyn LockKey, site: Site) -> Self::Wait;

    /// Takes the lock of `key` for a thread if that needs no waiting.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if somebody holds the lock.
    fn try_begin(&self, key: &dyn LockKey, site: Site) -> Result<Self::Guard, Error>;
}

/// What [`Space::begin`] has come to.
pub enum Begun<S: Space + ?Sized> {
    /// The lock was free, and this holds it.
    Held(S::Held),
    /// The lock has to be waited for.
    Wait(S::Wait),
}

macro_rules! by_reference {
    ($($type:ty),*) => {$(
        impl<S: Space + ?Sized> Space for $type {
            type Guard = S::Guard;
            type Held = S::Held;
            type AsyncGuard = S::AsyncGuard;
            type Failure = S::Failure;
            type Wait = S::Wait;

            #[inline]
            fn begin(&self, key: &dyn LockKey, site: Site) -> Begun<Self> {
                match (**self).begin(key, site) {
                    Begun::Held(held) => Begun::Held(held),
                    Begun::Wait(wait) => Begun::Wait(wait),
                }
            }

            #[inline]
            #[track_caller]
            fn block(wait: S::Wait) -> Result<S::Guard, S::Failure> {
                S::block(wait)
            }

            #[inline]
            fn begin_async(&self, key: &dyn LockKey, site: Site) -> S::Wait {
                (**self).begin_async(key, site)
            }

            #[inline]
            fn try_begin(&self, key: &dyn LockKey, site: Site) -> Result<S::Guard, Error> {
                (**self).try_begin(key, site)
            }
        }
    )*};
}

by_reference!(&S, Box<S>, Rc<S>, Arc<S>);

/// A return type that has a place for a lock's failure.
///
/// The failure is the trait's parameter, so that a lock that can't fail asks
/// nothing of the return type.
#[diagnostic::on_unimplemented(
    message = "this lock can fail, and `{Self}` has no place for `lockutils::Error`",
    label = "expected `Result<_, E>` where `E: From<lockutils::Error>`",
    note = "return `Result<_, E>` and implement `From<lockutils::Error> for E`"
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

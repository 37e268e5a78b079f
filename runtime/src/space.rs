//! The seam between the attribute and the lock engines.
//!
//! Expanded code calls a [`Space`] by static dispatch. What it can fail with is a
//! type: [`Locks`](crate::Locks) has no failure ([`Infallible`]), so a function
//! of any return type can wait for it; where an engine's failure is
//! [`Error`], the function must have a place for it, see [`FromFailure`].

use crate::error::Error;
use crate::key::Key;
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
    type Guard;
    /// A hold of a task.
    type AsyncGuard;
    /// What waiting for a lock can fail with: [`Infallible`] or [`Error`].
    type Failure;
    /// The wait of a task. Dropping it leaves the queue; it borrows nothing.
    type Acquire: Future<Output = Result<Self::AsyncGuard, Self::Failure>>;

    /// Takes the lock of `key`, and blocks the thread until it has it.
    ///
    /// # Errors
    ///
    /// None, if [`Space::Failure`] is [`Infallible`]; else why the engine could
    /// not take the lock.
    fn acquire(&self, key: Key, site: Site) -> Result<Self::Guard, Self::Failure>;

    /// Takes the lock of `key`, and lets other tasks run until it has it.
    fn acquire_async(&self, key: Key, site: Site) -> Self::Acquire;

    /// Takes the lock of `key` if that needs no waiting.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if somebody holds the lock.
    fn try_acquire(&self, key: Key, site: Site) -> Result<Self::Guard, Error>;
}

macro_rules! by_reference {
    ($($type:ty),*) => {$(
        impl<S: Space + ?Sized> Space for $type {
            type Guard = S::Guard;
            type AsyncGuard = S::AsyncGuard;
            type Failure = S::Failure;
            type Acquire = S::Acquire;

            #[inline]
            fn acquire(&self, key: Key, site: Site) -> Result<S::Guard, S::Failure> {
                (**self).acquire(key, site)
            }

            #[inline]
            fn acquire_async(&self, key: Key, site: Site) -> S::Acquire {
                (**self).acquire_async(key, site)
            }

            #[inline]
            fn try_acquire(&self, key: Key, site: Site) -> Result<S::Guard, Error> {
                (**self).try_acquire(key, site)
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

//! The seam between those who take locks and the lock engines.
//!
//! Expanded code and the handles call a [`Space`] by static dispatch. In two steps: the space
//! takes the lock at once if that needs no waiting, or makes ready to wait, which borrows
//! nothing; and a thread or a task drives that, for as long as the caller wants to wait.
//!
//! What waiting can fail with is a type, see [`Failure`](crate::engine::Failure):
//! [`Locks`](crate::Locks) has no failure, so a function of any return type can wait for it;
//! where an engine's failure is [`Error`], the function must have a place for it, see
//! [`FromFailure`]. Who doesn't wait to the end, by a timeout or a try, can always fail.

use crate::acquire::Acquire;
use crate::begun::Begun;
use crate::drive::{GuardOf, Machine};
use crate::error::Error;
use crate::key::{Key, LockKey};
use crate::owner::Task;
use crate::site::Site;
use crate::table::policy::{Mode, Reentry};
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// A lock space: where keys mean something.
///
/// Users name a space in `#[synchronized(locks = SPACE, ..)]` and otherwise call its own
/// methods.
///
/// Also implemented for references, `Box`, `Rc`, `Arc` and `LazyLock` of a space.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock space",
    label = "not a lock space",
    note = "`locks = ..` takes a `lockutils::Locks`, such as a `static` or a field: `locks = self.locks`"
)]
pub trait Space {
    /// How a lock of the space is taken.
    type Machine: Machine;

    /// Makes ready to wait for the lock of `key`, in a thread or a task. Takes nothing yet.
    fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<Self::Machine>;

    /// Makes ready to wait for the locks of all of `keys`, in a thread or a task. They may
    /// come in any order, and more than once; the space takes each once, and in an order
    /// that is the same for all callers.
    fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<Self::Machine>;

    /// Takes the lock of `key` for a thread if that needs no waiting, and else makes ready
    /// to wait. Either way nothing of `key` is borrowed afterwards.
    #[inline]
    fn begin(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        site: Site,
    ) -> Begun<<Self::Machine as Machine>::Quick, Self::Machine> {
        Begun::Wait(Box::new(self.wait(key, mode, site)))
    }

    /// The same for a thread that goes straight in if it holds the lock already.
    #[inline]
    fn begin_reentrant(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        site: Site,
    ) -> Begun<<Self::Machine as Machine>::Quick, Self::Machine> {
        let acquire = self.wait(key, mode, site);
        Begun::Wait(Box::new(acquire.with(Reentry::Allowed)))
    }

    /// The same as [`Space::begin`] for a task.
    #[inline]
    fn begin_async(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        site: Site,
        _task: Task,
    ) -> Begun<<Self::Machine as Machine>::AsyncQuick, Self::Machine> {
        Begun::Wait(Box::new(self.wait(key, mode, site)))
    }

    /// Begins to take the locks of several keys: gives them where that is a matter of some
    /// instructions.
    #[inline]
    fn begin_all(
        &self,
        keys: &[Key],
        mode: Mode,
        site: Site,
    ) -> Begun<GuardOf<Self::Machine>, Self::Machine> {
        Begun::Wait(Box::new(self.wait_all(keys.to_vec(), mode, site)))
    }

    /// Takes the lock of `key`, and blocks the thread until it has it.
    ///
    /// # Errors
    ///
    /// As [`Acquire::block`].
    ///
    /// # Panics
    ///
    /// As [`Acquire::block`].
    #[inline]
    #[track_caller]
    fn block(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
    ) -> Result<GuardOf<Self::Machine>, <Self::Machine as Machine>::Failure> {
        self.wait(key, mode, site).with(reentry).block()
    }

    /// Takes the lock of `key`, and blocks the thread until it has it or the time is over.
    ///
    /// # Errors
    ///
    /// As [`Acquire::block_for`].
    #[inline]
    fn block_for(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
        timeout: Duration,
    ) -> Result<GuardOf<Self::Machine>, Error> {
        self.wait(key, mode, site).with(reentry).block_for(timeout)
    }

    /// Takes the lock of `key` for a thread if nobody holds it.
    ///
    /// # Errors
    ///
    /// As [`Acquire::try_now`].
    #[inline]
    fn try_now(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
    ) -> Result<GuardOf<Self::Machine>, Error> {
        self.wait(key, mode, site).with(reentry).try_now()
    }
}

macro_rules! by_reference {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> Space for $type {
            type Machine = S::Machine;

            fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<S::Machine> {
                (**self).wait(key, mode, site)
            }

            fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<S::Machine> {
                (**self).wait_all(keys, mode, site)
            }

            #[inline]
            fn begin(
                &self,
                key: &dyn LockKey,
                mode: Mode,
                site: Site,
            ) -> Begun<<S::Machine as Machine>::Quick, S::Machine> {
                (**self).begin(key, mode, site)
            }

            #[inline]
            fn begin_reentrant(
                &self,
                key: &dyn LockKey,
                mode: Mode,
                site: Site,
            ) -> Begun<<S::Machine as Machine>::Quick, S::Machine> {
                (**self).begin_reentrant(key, mode, site)
            }

            #[inline]
            fn begin_async(
                &self,
                key: &dyn LockKey,
                mode: Mode,
                site: Site,
                task: Task,
            ) -> Begun<<S::Machine as Machine>::AsyncQuick, S::Machine> {
                (**self).begin_async(key, mode, site, task)
            }

            #[inline]
            fn begin_all(
                &self,
                keys: &[Key],
                mode: Mode,
                site: Site,
            ) -> Begun<GuardOf<S::Machine>, S::Machine> {
                (**self).begin_all(keys, mode, site)
            }

            #[inline]
            #[track_caller]
            fn block(
                &self,
                key: &dyn LockKey,
                mode: Mode,
                reentry: Reentry,
                site: Site,
            ) -> Result<GuardOf<S::Machine>, <S::Machine as Machine>::Failure> {
                (**self).block(key, mode, reentry, site)
            }

            #[inline]
            fn block_for(
                &self,
                key: &dyn LockKey,
                mode: Mode,
                reentry: Reentry,
                site: Site,
                timeout: Duration,
            ) -> Result<GuardOf<S::Machine>, Error> {
                (**self).block_for(key, mode, reentry, site, timeout)
            }

            #[inline]
            fn try_now(
                &self,
                key: &dyn LockKey,
                mode: Mode,
                reentry: Reentry,
                site: Site,
            ) -> Result<GuardOf<S::Machine>, Error> {
                (**self).try_now(key, mode, reentry, site)
            }
        }
    )*};
}

by_reference! {
    [S: Space + ?Sized] &S;
    [S: Space + ?Sized] Box<S>;
    [S: Space + ?Sized] Rc<S>;
    [S: Space + ?Sized] Arc<S>;
    [S: Space, F: FnOnce() -> S] LazyLock<S, F>;
}

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

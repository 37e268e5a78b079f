//! A lock that was begun to be taken: held already where it was free, and else to be waited for.
//!
//! Waiting has the verbs of [`Acquire`], which takes the lock where it wasn't free.

use crate::acquire::Acquire;
use crate::drive::{AsyncGuardOf, GIVEN, GuardOf, Machine};
use crate::error::Error;
use std::future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// What [`Space::begin`](crate::engine::Space::begin) has come to, or another of the methods whose names
/// begin so.
///
/// What a thread holds by it is the thread's, as a [`Guard`](crate::Guard) is:
///
/// ```compile_fail,E0277
/// use lockutils::engine::{Begun, Mode, Space};
/// use lockutils::{Guard, Site};
///
/// let begun = lockutils::global().begin(&"key", Mode::Exclusive, Site::here());
/// if let Begun::Held(held) = begun {
///     std::thread::spawn(move || drop(Guard::from(held)));
/// }
/// ```
#[derive(Debug)]
pub enum Begun<H, M: Machine> {
    /// The lock was free, and this holds it.
    Held(H),
    /// The lock has to be waited for. In a box, so that a lock that was free moves one word.
    Wait(Box<Acquire<M>>),
}

/// What a thread has begun.
impl<H: Into<GuardOf<M>>, M: Machine> Begun<H, M> {
    /// Blocks the thread until it has the lock.
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
    pub fn block(self) -> Result<GuardOf<M>, M::Failure> {
        match self {
            Self::Held(held) => Ok(held.into()),
            Self::Wait(acquire) => acquire.block(),
        }
    }

    /// Blocks the thread until it has the lock, or the time is over.
    ///
    /// # Errors
    ///
    /// As [`Acquire::block_for`].
    #[inline]
    pub fn block_for(self, timeout: Duration) -> Result<GuardOf<M>, Error> {
        match self {
            Self::Held(held) => Ok(held.into()),
            Self::Wait(acquire) => acquire.block_for(timeout),
        }
    }

    /// Takes the lock if that needs no waiting for others.
    ///
    /// # Errors
    ///
    /// As [`Acquire::try_now`].
    #[inline]
    pub fn try_now(self) -> Result<GuardOf<M>, Error> {
        match self {
            Self::Held(held) => Ok(held.into()),
            Self::Wait(acquire) => acquire.try_now(),
        }
    }
}

/// What a task has begun. In the futures the lock that is waited for stays in its box.
impl<M: Machine> Begun<M::AsyncQuick, M> {
    /// Waits until the task has the lock.
    ///
    /// # Errors
    ///
    /// As [`Acquire`], as a future.
    #[inline]
    pub fn wait(self) -> impl Future<Output = Result<AsyncGuardOf<M>, M::Failure>> {
        self.drive(|acquire, context| Pin::new(acquire).poll(context))
    }

    /// Waits until the task has the lock, or the time is over.
    ///
    /// # Errors
    ///
    /// As [`Acquire::timed`].
    #[inline]
    pub fn timed(self, timeout: Duration) -> impl Future<Output = Result<AsyncGuardOf<M>, Error>> {
        let mut timer = None;
        self.drive(move |acquire, context| acquire.poll_timed(timeout, &mut timer, context))
    }

    /// Takes the lock if that needs no waiting for others.
    ///
    /// # Errors
    ///
    /// As [`Acquire::try_async`].
    #[inline]
    pub fn try_async(self) -> impl Future<Output = Result<AsyncGuardOf<M>, Error>> {
        self.drive(|acquire, context| acquire.poll_try(context))
    }

    /// Gives what is held, or polls what is waited for. The future is this very closure: what holds a lock
    /// that was free is moved once more by one that has a name or a function of its own, and waiting for
    /// that move costs half as much again as the lock.
    #[inline]
    fn drive<E>(
        self,
        mut poll: impl FnMut(&mut Acquire<M>, &mut Context<'_>) -> Poll<Result<AsyncGuardOf<M>, E>>,
    ) -> impl Future<Output = Result<AsyncGuardOf<M>, E>> {
        let mut begun = Some(self);
        future::poll_fn(move |context| match &mut begun {
            Some(Self::Wait(acquire)) => poll(acquire, context),
            Some(Self::Held(_)) | None => match begun.take() {
                Some(Self::Held(quick)) => Poll::Ready(Ok(quick.into())),
                _ => panic!("{GIVEN}"),
            },
        })
    }
}

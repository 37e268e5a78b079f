//! Waiting for one lock, whatever engine it is of: what an engine does, and what a waiter is.
//!
//! A lock is taken by a [`Machine`], in steps. A thread blocks between them, on a [`Signal`]; a
//! task is polled for each. [`By`] tells a step who takes it, and how long that one waits.
//! [`acquire`](crate::acquire) has the drivers of threads, [`future`](crate::future) those of
//! tasks.

use crate::error::Error;
use crate::held::{Held, Holding};
use crate::name::Taken;
use crate::owner::{Owner, Task};
use crate::proof::Proof;
use crate::signal::Signal;
use crate::sync::Instant;
use crate::table::policy::Reentry;
use crate::timer::Left;
use std::convert::Infallible;
use std::fmt;
use std::task::{Poll, Waker};
use std::time::Duration;

/// What waiting for a lock can fail with: nothing, which is [`Infallible`], or an [`Error`].
///
/// No other crate implements it.
pub trait Failure: Into<Error> + Unpin + sealed::Sealed + 'static {
    /// What somebody who waits is given: `G`, or a `Result` where waiting can fail.
    type Outcome<G>;

    /// Gives what a wait has come to.
    fn outcome<G>(result: Result<G, Self>) -> Self::Outcome<G>
    where
        Self: Sized;

    /// Waiting would never end. Who can't fail panics.
    #[doc(hidden)]
    #[track_caller]
    fn of_deadlock(error: Error) -> Self
    where
        Self: Sized;
}

/// What somebody who waits for a lock of the machine is given: `G`, or a
/// `Result<G, Error>` where that can fail.
pub type Outcome<M, G> = <<M as Machine>::Failure as Failure>::Outcome<G>;

/// What a future panics with that is polled once more.
pub(crate) const GIVEN: &str = "a future was polled after it gave its guard";

mod sealed {
    pub trait Sealed {}
    impl Sealed for std::convert::Infallible {}
    impl Sealed for crate::error::Error {}
}

impl Failure for Infallible {
    type Outcome<G> = G;

    #[inline]
    fn outcome<G>(result: Result<G, Self>) -> G {
        let Ok(guard) = result;
        guard
    }

    #[track_caller]
    fn of_deadlock(error: Error) -> Self {
        panic!("{error}")
    }
}

impl Failure for Error {
    type Outcome<G> = Result<G, Self>;

    #[inline]
    fn outcome<G>(result: Result<G, Self>) -> Result<G, Self> {
        result
    }

    fn of_deadlock(error: Error) -> Self {
        error
    }
}

/// The guard of a thread that has a lock of the machine.
pub type GuardOf<M> = <<M as Machine>::Proof as Proof>::Guard;

/// The same of a task.
pub type AsyncGuardOf<M> = <<M as Machine>::Proof as Proof>::AsyncGuard;

/// How somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Blocks the thread, for as long as it takes.
    Thread,
    /// Blocks the thread, and not for longer than a certain time.
    Timed,
    /// Lets other tasks run.
    Task,
    /// Doesn't wait until the lock is free, but may wait for an engine's answer. The next step is
    /// taken when the waker is called, in a thread as well as in a task.
    Try,
    /// Tries once more, since the time is over, and waits for nothing.
    Last,
}

/// By whom a step is taken.
pub struct By<'a> {
    pub(crate) owner: Owner,
    pub(crate) patience: Patience,
    /// How much of its time is left, if it gives up.
    pub(crate) left: Option<Left>,
    /// Whether the order in which it takes locks was looked at for this one, by a try before.
    pub(crate) is_ordered: bool,
    /// Makes what has the next step be taken. Called only where that is to be waited for.
    pub(crate) waker: &'a dyn Fn() -> Waker,
}

impl By<'_> {
    /// How it waits.
    #[must_use]
    pub const fn patience(&self) -> Patience {
        self.patience
    }

    /// What has the next step be taken.
    #[must_use]
    pub fn waker(&self) -> Waker {
        (self.waker)()
    }

    /// The same one, who waits otherwise.
    pub(crate) fn with(&self, patience: Patience) -> Self {
        Self { patience, ..*self }
    }
}

impl fmt::Debug for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("By")
            .field("owner", &self.owner)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// One lock being taken, in steps. Dropping it half-way leaves the queue, and passes on a lock
/// that was on its way to it.
///
/// Those who call it may have taken other locks before by the same call, which are `held`.
///
/// No other crate implements it: an engine of one's own is an [`Engine`](crate::engine::Engine),
/// which an [`Outside`](crate::engine::Outside) drives.
pub trait Machine: Unpin + Sized {
    /// The lock; dropping it releases.
    type Hold: Holding + Into<Held> + 'static;
    /// What waiting can fail with.
    type Failure: Failure;
    /// What a guard tells of its hold, which says of what type the guard is.
    type Proof: Proof;
    /// A hold of a thread as [`Space::begin`](crate::engine::Space::begin) gives it: the guard,
    /// or something smaller that it can be made of. As the guard, it is to stay in its thread.
    type Quick: Into<GuardOf<Self>>;
    /// The same of a task.
    type AsyncQuick: Into<AsyncGuardOf<Self>>;
    /// Whether an engine says if the lock is free, whose answer may take its time. Then a timeout of
    /// zero is a try, which waits for that answer; else the wait is over at once.
    const IS_ASKED_FOR: bool = false;

    /// A step: takes the lock, or sees to it that the waker is called when the next one is due.
    /// `None` if the lock is one of those that are held.
    #[track_caller]
    fn step(
        &mut self,
        by: &By<'_>,
        held: &[Self::Hold],
    ) -> Poll<Result<Option<Self::Hold>, Self::Failure>>;

    /// A step of who waits for nobody: takes the lock if that needs no waiting.
    #[track_caller]
    fn try_step(
        &mut self,
        by: &By<'_>,
        held: &[Self::Hold],
    ) -> Poll<Result<Option<Self::Hold>, Error>>;

    /// Takes the lock for a task where that is a matter of some instructions. Then the machine
    /// has nothing left to drop.
    #[inline]
    fn take_quickly(&mut self, _task: Task) -> Option<Self::AsyncQuick> {
        None
    }

    /// Takes the lock for a thread if it is free, or soon is.
    #[track_caller]
    fn take_soon(&mut self) -> Option<Self::Hold> {
        None
    }

    /// What the guard of a hold is to tell.
    fn proof(hold: &Self::Hold) -> Self::Proof;

    /// Says whether a thread goes straight in where it holds the lock already. Before the
    /// first step.
    fn set_reentry(&mut self, reentry: Reentry);

    /// When a thread is to take the next step, if nobody wakes it before.
    fn wakes_at(&mut self) -> Option<Instant>;

    /// The deadlock that waiting would be.
    fn deadlock(&mut self) -> Option<Error>;

    /// The error of who gives up now; `None` if the lock was handed over meanwhile. Then the
    /// waker has been called, and the next step takes the lock.
    fn timed_out(&mut self, waited: Duration) -> Option<Error>;

    /// The lock, for people.
    fn taken(&self) -> Option<Taken>;
}

/// A lock that may be held shared: that of an engine, or of an
/// [`Engine`](crate::engine::Engine) itself, which so says that it has shared locks.
///
/// [`Handle::shared`](crate::Handle::shared) and the attribute's `shared` ask for it.
#[diagnostic::on_unimplemented(
    message = "the locks of this space can't be shared",
    label = "this space has exclusive locks only",
    note = "leave out `shared`, or use a space whose engine has shared locks, as `Locks` and `FileLocks` have"
)]
pub trait Sharable {}

/// Takes the steps of a try, and blocks the thread between them where an answer takes its time.
#[track_caller]
pub(crate) fn block_try<T>(mut step: impl FnMut(&By<'_>) -> Poll<T>) -> T {
    let signal = Signal::default();
    let by = By {
        owner: Owner::thread(),
        patience: Patience::Try,
        left: None,
        is_ordered: false,
        waker: &|| signal.waker(),
    };
    loop {
        if let Poll::Ready(result) = step(&by) {
            return result;
        }
        signal.wait(None);
    }
}

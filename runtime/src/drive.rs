//! Waiting for one lock, whatever engine it is of: what an engine does, and what a waiter is.
//!
//! A lock is taken by a [`Machine`], in steps. A thread blocks between them, on a [`Signal`]; a
//! task is polled for each. [`By`] tells a step who takes it, and how long that one waits.
//! [`acquire`](crate::acquire) has the drivers of threads, [`future`](crate::future) those of
//! tasks.

use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::held::{Held, Holding};
use crate::name::Taken;
use crate::owner::{Owner, Task};
use crate::sync::{Condvar, Instant, Mutex};
use crate::table::policy::Reentry;
use std::cell::OnceCell;
use std::convert::Infallible;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
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
    /// A hold of a thread as [`Space::begin`](crate::engine::Space::begin) gives it: the guard,
    /// or something smaller that it can be made of. As the guard, it is to stay in its thread.
    type Quick: Into<Guard>;
    /// The same of a task.
    type AsyncQuick: Into<AsyncGuard>;

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

    /// Takes the lock for a task where that is a matter of some instructions.
    #[inline]
    fn take_quickly(&mut self, _task: Task) -> Option<Self::AsyncQuick> {
        None
    }

    /// Takes the lock for a thread if it is free, or soon is.
    fn take_soon(&mut self) -> Option<Self::Hold> {
        None
    }

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

/// Blocks a thread until its waker is called.
///
/// Not [`std::thread::park`], whose token the user's own code may be waiting for. It is made
/// when it is first needed, since most locks are free.
#[derive(Debug, Default)]
pub(crate) struct Signal(OnceCell<Arc<Called>>);

#[derive(Debug, Default)]
struct Called {
    called: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn called(&self) -> &Arc<Called> {
        self.0.get_or_init(Arc::default)
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(self.called()))
    }

    /// Returns once for each call of the waker, or for several at once; or when the
    /// deadline has come.
    pub(crate) fn wait(&self, deadline: Option<Instant>) {
        let Called { called, changed } = &**self.called();
        let mut called = called.lock();
        while !mem::take(&mut *called) {
            match deadline {
                None => changed.wait(&mut called),
                Some(deadline) if changed.wait_until(&mut called, deadline).timed_out() => return,
                Some(_) => {}
            }
        }
    }
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        *self.called.lock() = true;
        self.changed.notify_one();
    }
}

/// Takes the steps of a try, and blocks the thread between them where an answer takes its time.
#[track_caller]
pub(crate) fn block_try<T>(mut step: impl FnMut(&By<'_>) -> Poll<T>) -> T {
    let signal = Signal::default();
    let by = By {
        owner: Owner::thread(),
        patience: Patience::Try,
        waker: &|| signal.waker(),
    };
    loop {
        if let Poll::Ready(result) = step(&by) {
            return result;
        }
        signal.wait(None);
    }
}

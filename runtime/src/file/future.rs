//! The futures that tasks await lock files by, and what the attribute makes of them.

use super::acquire::{Acquire, Patience};
use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::name::describe;
use crate::owner::Owner;
use crate::space::{Reentry, Wait};
use crate::timer::AsyncTimer;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The wait of a task for a lock file, or for several; gives an [`AsyncGuard`] or an
/// [`Error`].
///
/// # Cancel safety
///
/// Dropping it leaves the queue; a lock that was just being handed over to it, or granted
/// by the kernel, goes to the next waiter.
///
/// # Examples
///
/// ```
/// use lockutils::{Error, FileLocks};
/// use std::time::Duration;
///
/// async fn migrate(locks: &FileLocks) -> Result<(), Error> {
///     let _guard = locks.key("schema").lock_timeout_async(Duration::from_secs(5)).await?;
///     // No other task, thread or process is in here.
///     Ok(())
/// }
/// ```
#[must_use = "a future takes no lock until it is awaited"]
pub struct FileLockFuture {
    /// `None` when it has failed: who keeps the future keeps no place in the queue.
    acquire: Option<Acquire>,
    timeout: Option<Duration>,
    /// From when the lock was found busy.
    timer: Option<AsyncTimer>,
}

impl FileLockFuture {
    pub(super) const fn new(acquire: Acquire, timeout: Option<Duration>) -> Self {
        Self {
            acquire: Some(acquire),
            timeout,
            timer: None,
        }
    }

    fn into_acquire(self) -> Acquire {
        self.acquire.expect("it was not polled")
    }
}

impl fmt::Debug for FileLockFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.acquire.as_ref().map(Acquire::taken);
        describe(f, "FileLockFuture", &taken.unwrap_or_default())
    }
}

// As those of in-process locks.
impl UnwindSafe for FileLockFuture {}
impl RefUnwindSafe for FileLockFuture {}

impl Wait for FileLockFuture {
    type Held = Guard;
    type AsyncHeld = AsyncGuard;
    type Guard = Guard;
    type AsyncGuard = AsyncGuard;
    type Failure = Error;
    type Timed = Self;
    type Try = FileLockNow;

    fn block(self, reentry: Reentry) -> Result<Guard, Error> {
        let acquire = self.into_acquire().with(reentry);
        acquire.block().map(Guard::new)
    }

    fn block_for(self, reentry: Reentry, timeout: Duration) -> Result<Guard, Error> {
        let acquire = self.into_acquire().with(reentry);
        acquire.block_for(timeout).map(Guard::new)
    }

    fn try_now(self, reentry: Reentry) -> Result<Guard, Error> {
        let acquire = self.into_acquire().with(reentry);
        acquire.try_now(Owner::thread()).map(Guard::new)
    }

    fn timed(self, timeout: Duration) -> Self {
        Self::new(self.into_acquire(), Some(timeout))
    }

    fn try_async(self) -> FileLockNow {
        FileLockNow(Some(self.into_acquire()))
    }
}

/// The try of a task.
#[doc(hidden)]
pub struct FileLockNow(Option<Acquire>);

impl fmt::Debug for FileLockNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.0.as_ref().map(Acquire::taken);
        describe(f, "FileLockNow", &taken.unwrap_or_default())
    }
}

impl Future for FileLockNow {
    type Output = Result<AsyncGuard, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let acquire = self
            .0
            .take()
            .expect("a future was polled after it was ready");
        let held = acquire.try_now(Owner::task(context.waker()));
        Poll::Ready(held.map(AsyncGuard::new))
    }
}

impl Future for FileLockFuture {
    type Output = Result<AsyncGuard, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            acquire: place,
            timeout,
            timer,
        } = &mut *self;
        let waker = context.waker();
        let acquire = place
            .as_mut()
            .expect("a future was polled after it gave its error");
        let step = acquire.step(Owner::task(waker), Patience::Task, || waker.clone());
        if let Poll::Ready(result) = step {
            if result.is_err() {
                *place = None;
            }
            return Poll::Ready(result.map(AsyncGuard::new));
        }
        let Some(timeout) = *timeout else {
            return Poll::Pending;
        };
        let timer = timer.get_or_insert_with(|| AsyncTimer::start(timeout));
        let waited = ready!(timer.poll_over(context));
        let last = acquire.give_up(Owner::task(waker), waited, || waker.clone());
        if let Poll::Ready(Err(_)) = last {
            *place = None;
        }
        last.map_ok(AsyncGuard::new)
    }
}

//! How a task waits for a lock, or for several.

use crate::acquire::Acquire;
use crate::drive::{AsyncGuardOf, By, Failure as _, Machine, Outcome, Patience};
use crate::error::Error;
use crate::local::InProcess;
use crate::name::describe;
use crate::owner::{Owner, Task};
use crate::timer::{AsyncTimer, Left};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The wait of a task for a lock, or for several; gives an [`AsyncGuard`](crate::AsyncGuard), or where waiting can
/// fail, as for a lock file, a `Result<AsyncGuard, Error>`.
///
/// # Cancel safety
///
/// Dropping it leaves the queue; a lock that was just being handed over to it, or granted by the
/// kernel, goes to the next waiter.
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// async fn connect(uuid: &str) {
///     let _guard = CELLS.key(uuid).lock_async().await;
///     // No other task or thread is in here for this cell.
/// }
/// ```
#[must_use = "a future takes no lock until it is awaited"]
pub struct LockFuture<M: Machine = InProcess>(Acquire<M>);

/// The wait of a task, with a timeout; gives an [`AsyncGuard`](crate::AsyncGuard) or an [`Error`].
///
/// # Cancel safety
///
/// As that of [`LockFuture`].
///
/// # Examples
///
/// ```
/// use lockutils::{Error, Locks};
/// use std::time::Duration;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// async fn connect(uuid: &str) -> Result<(), Error> {
///     let _guard = CELLS.key(uuid).lock_timeout_async(Duration::from_secs(5)).await?;
///     Ok(())
/// }
/// ```
#[must_use = "a future takes no lock until it is awaited"]
pub struct LockTimeoutFuture<M: Machine = InProcess> {
    acquire: Acquire<M>,
    timeout: Duration,
    /// From when the lock was found busy.
    timer: Option<AsyncTimer>,
}

/// The try of a task, which waits for nobody who has the lock; gives an [`AsyncGuard`](crate::AsyncGuard) or an
/// [`Error`].
///
/// It is ready at the first poll, but with an engine that asks a server.
///
/// # Cancel safety
///
/// As that of [`LockFuture`].
///
/// # Examples
///
/// ```
/// use lockutils::{Error, Locks};
///
/// static CELLS: Locks = Locks::new("cells");
///
/// async fn connect(uuid: &str) -> Result<(), Error> {
///     let _guard = CELLS.key(uuid).try_lock_async().await?;
///     Ok(())
/// }
/// ```
#[must_use = "a future takes no lock until it is awaited"]
pub struct TryLockFuture<M: Machine = InProcess>(Acquire<M>);

impl<M: Machine> LockFuture<M> {
    #[inline]
    pub(crate) const fn new(acquire: Acquire<M>) -> Self {
        Self(acquire)
    }
}

impl<M: Machine> TryLockFuture<M> {
    /// The same, for no longer than this time, of whoever has less of it than a server may be silent. Without an answer by then
    /// it is a [`Timeout`](crate::ErrorKind::Timeout) that says why.
    ///
    /// For `lockutils run`, which waits only when it has looked who has the lock.
    #[doc(hidden)]
    pub async fn within(mut self, time: Duration) -> Result<AsyncGuardOf<M>, Error> {
        let mut timer = None;
        poll_fn(|context| {
            if let Poll::Ready(result) = self.0.poll_try(context) {
                return Poll::Ready(result);
            }
            let timer = timer.get_or_insert_with(|| AsyncTimer::start(time));
            let waited = ready!(timer.poll_over(context));
            match self.0.timed_out(waited) {
                Some(error) => Poll::Ready(self.0.settle(Err(error))),
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl<M: Machine> Acquire<M> {
    /// Waits in a task until it has the lock or the time is over, of which zero is one try.
    pub const fn timed(self, timeout: Duration) -> LockTimeoutFuture<M> {
        LockTimeoutFuture {
            acquire: self,
            timeout,
            timer: None,
        }
    }

    /// Takes the lock for a task if that needs no waiting for others.
    pub const fn try_async(self) -> TryLockFuture<M> {
        TryLockFuture(self)
    }

    /// Waits in a task, for as long as the timer, which starts when the lock is found busy.
    #[track_caller]
    pub(crate) fn poll_timed(
        &mut self,
        timeout: Duration,
        timer: &mut Option<AsyncTimer>,
        context: &mut Context<'_>,
    ) -> Poll<Result<AsyncGuardOf<M>, Error>> {
        if M::IS_ASKED_FOR && timeout.is_zero() {
            return self.poll_try(context).map_err(Error::in_no_time);
        }
        let waker = context.waker();
        let owner = Owner::task(waker);
        if let Some(quick) = self.take_quickly(Task(owner)) {
            return Poll::Ready(Ok(quick.into()));
        }
        let by = By {
            owner,
            patience: Patience::Task,
            left: Left::of(timeout, timer.as_ref().map(|timer| &timer.timer)),
            is_ordered: false,
            waker: &|| waker.clone(),
        };
        let result = match self.step(&by) {
            Poll::Ready(result) => result.map_err(M::Failure::into),
            // Looked at after the step: the lock may have been given as time ran out.
            Poll::Pending => {
                let timer = timer.get_or_insert_with(|| AsyncTimer::start(timeout));
                let waited = ready!(timer.poll_over(context));
                ready!(self.give_up(&by, waited))
            }
        };
        Poll::Ready(self.settle(result))
    }

    /// Tries in a task, see [`Acquire::try_async`].
    #[track_caller]
    pub(crate) fn poll_try(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<AsyncGuardOf<M>, Error>> {
        let waker = context.waker();
        let by = By {
            owner: Owner::task(waker),
            patience: Patience::Try,
            left: None,
            is_ordered: false,
            waker: &|| waker.clone(),
        };
        let result = ready!(self.try_step(&by));
        Poll::Ready(self.settle(result))
    }
}

impl<M: Machine> Future for LockFuture<M> {
    type Output = Outcome<M, AsyncGuardOf<M>>;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(M::Failure::outcome(result))
    }
}

impl<M: Machine> Future for LockTimeoutFuture<M> {
    type Output = Result<AsyncGuardOf<M>, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            acquire,
            timeout,
            timer,
        } = &mut *self;
        acquire.poll_timed(*timeout, timer, context)
    }
}

impl<M: Machine> Future for TryLockFuture<M> {
    type Output = Result<AsyncGuardOf<M>, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_try(context)
    }
}

impl<M: Machine> fmt::Debug for LockFuture<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "LockFuture", &self.0.taken())
    }
}

impl<M: Machine> fmt::Debug for LockTimeoutFuture<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "LockTimeoutFuture", &self.acquire.taken())
    }
}

impl<M: Machine> fmt::Debug for TryLockFuture<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "TryLockFuture", &self.0.taken())
    }
}

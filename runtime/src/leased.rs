//! Guards of holds that can be lost, and the future that tells of it.
//!
//! A guard has the [`Lease`]s of all its locks. Others may have the same hold by guards of their own,
//! so each has a mark that it is over, which those look at who wait for a loss: see [`Lost`].

use crate::error::Error;
use crate::fence::Fence;
use crate::guard::{AsyncGuard, Guard};
use crate::lease::Lease;
use crate::name::Taken;
use crate::ordered::sort;
use crate::refusal::Refusal;
use crate::signal::Signal;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

/// A guard, `G`, of a lock that can be lost while it is held: its server gives it for a time, the
/// lease, and renews that for as long as both can reach each other.
///
/// Dropping it sends the release, and waits for nothing; [`Leased::release`] waits. Whoever has it
/// looks after the loss: by [`Leased::check`] between the steps of what it guards, by
/// [`Leased::lost`] beside what can be stopped, and for what must not be done twice in any case, by
/// the [`Leased::fence`] that goes along with each write.
///
/// # Examples
///
/// ```
/// use lockutils::{Error, LeaseGuard};
///
/// fn bill(lease: &LeaseGuard, invoices: &[u64]) -> Result<(), Error> {
///     for _invoice in invoices {
///         lease.check()?; // Whoever has lost the lock does no more.
///         // .. `lease.fence()` goes along with what is written
///     }
///     Ok(())
/// }
/// ```
#[must_use = "dropping a guard at once releases its lock; write `let _guard = ..`, not `let _ = ..`"]
pub struct Leased<G> {
    /// Before the guard: who has released loses nothing.
    tenure: Tenure,
    guard: G,
}

/// A hold of a thread that can be lost, see [`Leased`].
pub type LeaseGuard = Leased<Guard>;

/// A hold of a task that can be lost, see [`Leased`].
pub type AsyncLeaseGuard = Leased<AsyncGuard>;

/// Dropping it is the end of the guard that it is of.
struct Tenure(Arc<Leases>);

/// The locks of a guard and their leases.
struct Leases {
    /// In the order of their keys, which the caller knows. That in which they were taken is the engine's, and may be
    /// that of numbers which are made of the keys.
    each: Vec<(Taken, Lease)>,
    /// Those of the leases.
    fences: Vec<Fence>,
    /// Whether the guard was dropped while it had the locks.
    is_over: AtomicBool,
}

impl<G> Leased<G> {
    /// `locks` are those of the leases.
    pub(crate) fn new(leases: Vec<Lease>, locks: Vec<Taken>, guard: G) -> Self {
        let mut each: Vec<_> = locks.into_iter().zip(leases).collect();
        sort(&mut each, |(one, _), (other, _)| one.key.cmp(&other.key));
        let fences = each.iter().map(|(_, lease)| lease.fence()).collect();
        Self {
            tenure: Tenure(Arc::new(Leases {
                each,
                fences,
                is_over: AtomicBool::new(false),
            })),
            guard,
        }
    }

    fn leases(&self) -> &Leases {
        &self.tenure.0
    }

    /// The fencing token; of several locks the greatest.
    ///
    /// Where each of several locks guards something of its own, that is fenced by [its own](Leased::fences). Who waits
    /// for a lock of etcd has its token from when it asked, so the greatest of some locks may be greater than that of
    /// who has one of them next. It is one for all of them where everybody takes the same ones together.
    #[must_use]
    pub fn fence(&self) -> Fence {
        let fences = self.fences().iter().copied();
        fences.max().unwrap_or(Fence::LEAST)
    }

    /// The fencing token of each lock, in the order of the keys' texts, whatever their order in the call. A
    /// key that is there twice has one.
    #[must_use]
    pub fn fences(&self) -> &[Fence] {
        &self.leases().fences
    }

    /// Whether the lock is lost; of several, one of them.
    ///
    /// It looks at the clock itself, so it is true at the first look after the process was
    /// stopped for too long.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.leases().is_lost()
    }

    /// Fails if the lock is lost: for the places between the steps of what can't be stopped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost), of several keys with the one that is lost.
    pub fn check(&self) -> Result<(), Error> {
        self.leases().check()
    }

    /// Waits until the lock is lost; for ever, if it is released first.
    #[must_use = "a future does nothing until it is awaited"]
    pub fn lost(&self) -> Lost {
        Lost(Watch::new(&self.tenure.0))
    }

    /// How long it is until the lock would be lost if no renewal came; zero if it is lost. Of
    /// several the shortest.
    #[must_use]
    pub fn valid_for(&self) -> Duration {
        self.leases().valid_for()
    }

    /// Releases the lock, and blocks the thread until the server has answered to that.
    ///
    /// Where others in this process have the lock by the same hold, as those who share it, it is at
    /// once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Lost`](crate::ErrorKind::Lost) if the lock was lost before, or nobody can know, since the
    /// connection broke before the answer; and
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if there is no answer: then it is
    /// released at the end of its lease, if not before.
    pub fn release(self) -> Result<(), Error> {
        let mut releasing = self.begin_release();
        let signal = Signal::default();
        loop {
            if let Poll::Ready(result) = releasing.poll_over(&signal.waker()) {
                return result;
            }
            signal.wait(None);
        }
    }

    /// Releases the lock, and lets other tasks run until the server has answered to that. Who drops
    /// the future has released it all the same.
    ///
    /// # Errors
    ///
    /// As [`Leased::release`].
    pub async fn release_async(self) -> Result<(), Error> {
        self.begin_release().await
    }

    fn begin_release(self) -> Releasing {
        let Self { tenure, guard } = self;
        let watch = Watch::new(&tenure.0);
        // Where it is lost, it is so whatever the answer is.
        let lost = tenure.0.check().err();
        drop(tenure);
        drop(guard);
        Releasing {
            watch,
            next: 0,
            error: lost,
        }
    }
}

impl LeaseGuard {
    /// Turns the guard into one that may be sent to other threads and tasks, as
    /// [`Guard::into_async`] does.
    pub fn into_async(self) -> AsyncLeaseGuard {
        Leased {
            tenure: self.tenure,
            guard: self.guard.into_async(),
        }
    }
}

impl Leases {
    fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.each.iter().map(|(_, lease)| lease)
    }

    fn is_lost(&self) -> bool {
        self.leases().any(Lease::is_lost)
    }

    fn check(&self) -> Result<(), Error> {
        let mut each = self.each.iter();
        each.try_for_each(|(lock, lease)| lease.check().map_err(|refusal| error(lock, refusal)))
    }

    fn valid_for(&self) -> Duration {
        let times = self.leases().map(Lease::valid_for);
        times.min().unwrap_or(Duration::MAX)
    }
}

fn error(lock: &Taken, refusal: Refusal) -> Error {
    refusal.of_lock(lock.space, lock.key.clone())
}

impl Drop for Tenure {
    fn drop(&mut self) {
        if !self.0.is_lost() {
            self.0.is_over.store(true, Ordering::Release);
        }
    }
}

/// The wait until a lock is lost, see [`Leased::lost`]. It gives `()`.
///
/// It is pending for ever once the guard is dropped or released, unless the lock was lost before.
/// It borrows nothing and may outlive the guard.
///
/// # Examples
///
/// ```
/// use lockutils::AsyncLeaseGuard;
///
/// async fn watch(lease: &AsyncLeaseGuard, report: impl FnOnce()) {
///     lease.lost().await;
///     report();
/// }
/// ```
#[must_use = "a future does nothing until it is awaited"]
pub struct Lost(Watch);

/// Somebody who waits for what becomes of leases. Dropping it calls off the wakers.
struct Watch {
    leases: Arc<Leases>,
    /// That of its wakers.
    number: u64,
}

/// The wait until leases are released.
struct Releasing {
    watch: Watch,
    /// The first that isn't released yet.
    next: usize,
    /// The first that there was.
    error: Option<Error>,
}

impl Watch {
    fn new(leases: &Arc<Leases>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self {
            leases: Arc::clone(leases),
            // Relaxed: that it is another one is all there is to it.
            number: LAST.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for lease in self.leases.leases() {
            lease.forget(self.number);
        }
    }
}

impl Lost {
    /// The error of a lock that is lost, by the clock too.
    pub(crate) fn error(&self) -> Option<Error> {
        let leases = &self.0.leases;
        if leases.is_over.load(Ordering::Acquire) {
            return None;
        }
        leases.check().err()
    }

    pub(crate) fn poll_lost(&self, waker: &Waker) -> Poll<()> {
        let Watch { leases, number } = &self.0;
        if leases.is_over.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let mut leases = leases.leases();
        if leases.any(|lease| lease.poll_lost(*number, waker).is_ready()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Releasing {
    fn poll_over(&mut self, waker: &Waker) -> Poll<Result<(), Error>> {
        let Watch { leases, number } = &self.watch;
        for (lock, lease) in leases.each.iter().skip(self.next) {
            // What is lost has no answer to wait for.
            if let Err(refusal) = ready!(lease.poll_released(*number, waker)) {
                self.error.get_or_insert_with(|| error(lock, refusal));
            }
            self.next += 1;
        }
        Poll::Ready(match self.error.take() {
            Some(error) => Err(error),
            None => Ok(()),
        })
    }
}

impl Future for Lost {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.poll_lost(context.waker())
    }
}

impl Future for Releasing {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_over(context.waker())
    }
}

impl<G> fmt::Debug for Leased<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.leases().describe("Leased", f)
    }
}

impl fmt::Debug for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.leases.describe("Lost", f)
    }
}

impl Leases {
    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(name);
        match &self.each[..] {
            [(Taken { space, key, site }, lease)] => shown
                .field("space", space)
                .field("key", key)
                .field("site", &format_args!("{site}"))
                .field("fence", &lease.fence().get()),
            each => {
                let locks: Vec<_> = each.iter().map(|(lock, _)| lock).collect();
                shown.field("locks", &locks).field("fences", &self.fences)
            }
        };
        shown.field("valid_for", &self.valid_for()).finish()
    }
}

// As of the guards; and of a lease nothing is half done when there is a panic.
impl<G> UnwindSafe for Leased<G> {}
impl<G> RefUnwindSafe for Leased<G> {}
impl UnwindSafe for Lost {}
impl RefUnwindSafe for Lost {}

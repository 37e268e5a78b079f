//! The primitives as the model checker has them, in the form of the real ones.
//!
//! Nothing here can be made in a constant: loom registers each primitive with the
//! execution of the model that it belongs to. There is no clock either. Time is a
//! number that stands still until the model lets it [`pass`], and, since its loads are
//! relaxed, loom tries for each look at the clock whether that was before or after.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64};

use crate::sync::Ordering;
use loom::sync as checked;
use std::ops::{Deref, DerefMut};
use std::sync::atomic;
use std::time::Duration;

/// As [`parking_lot::Mutex`].
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(checked::Mutex<T>);

/// As [`parking_lot::MutexGuard`]; `None` only inside of [`Condvar`].
pub(crate) struct MutexGuard<'a, T>(Option<checked::MutexGuard<'a, T>>, &'a Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(checked::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect("no poison")), self)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("locked")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("locked")
    }
}

/// As [`parking_lot::Condvar`].
#[derive(Debug, Default)]
pub(crate) struct Condvar(checked::Condvar);

/// As [`parking_lot::WaitTimeoutResult`].
pub(crate) struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub(crate) fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let locked = guard.0.take().expect("locked");
        guard.0 = Some(self.0.wait(locked).expect("no poison"));
    }

    /// Wakes up for no reason as long as there is time, since the clock notifies nobody.
    #[expect(clippy::unused_self, reason = "the real one's form")]
    pub(crate) fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Instant,
    ) -> WaitTimeoutResult {
        if deadline <= Instant::now() {
            return WaitTimeoutResult(true);
        }
        guard.0 = None;
        pause(0);
        *guard = guard.1.lock();
        WaitTimeoutResult(false)
    }
}

loom::lazy_static! {
    /// In microseconds.
    static ref CLOCK: AtomicU64 = AtomicU64::new(0);
}

/// As [`std::time::Instant`]: the time since the model began.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(Duration::from_micros(CLOCK.load(Ordering::Relaxed)))
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }

    pub(crate) fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }
}

/// The time since the model began.
pub(crate) fn nanoseconds() -> u64 {
    1000 * CLOCK.load(Ordering::Relaxed)
}

/// Lets time pass.
pub(crate) fn pass(duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).expect("a short time");
    CLOCK.fetch_add(micros, Ordering::Relaxed);
}

/// Lets another thread go first.
pub(crate) fn pause(_round: u32) {
    loom::thread::yield_now();
}

/// As [`pause`].
pub(super) fn give_way(round: u32) {
    pause(round);
}

/// A number of the calling thread's own. The threads of a model are one real thread, and
/// share its thread-locals.
pub(crate) fn thread_number() -> u64 {
    static DRAWN: atomic::AtomicU64 = atomic::AtomicU64::new(0);
    loom::thread_local! {
        static NUMBER: u64 = DRAWN.fetch_add(1, Ordering::Relaxed) + 1;
    }
    NUMBER.with(|number| *number)
}

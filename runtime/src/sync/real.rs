//! The primitives as they are.

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};
pub(crate) use std::time::Instant;

use std::time::Duration;
use std::{cell, hint, thread};

#[cfg(test)]
thread_local! {
    /// How often the thread has paused.
    pub(crate) static PAUSES: cell::Cell<usize> = const { cell::Cell::new(0) };
}

/// The time since some moment. Of std's [`Instant`] it would have to be the difference to another one, which
/// takes half as long again.
#[cfg(target_os = "linux")]
pub(crate) fn nanoseconds() -> u64 {
    let now = crate::clock::read(libc::CLOCK_MONOTONIC);
    let [seconds, nanoseconds] =
        [now.tv_sec.try_into(), now.tv_nsec.try_into()].map(|part| part.unwrap_or(0_u64));
    seconds * 1_000_000_000 + nanoseconds
}

/// The time since the first call.
#[cfg(not(target_os = "linux"))]
pub(crate) fn nanoseconds() -> u64 {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    let since = START.get_or_init(Instant::now).elapsed();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// How often [`pause`] says in its first round that it waits: for about half a microsecond.
///
/// Each try brings the lock's line of the cache here, and the holder has to bring it back, which takes
/// both as long as some twenty acquisitions by a thread alone. Who tries again after fewer of them
/// has two threads mostly wait for that line.
const FIRST_PAUSE: u32 = 16;

/// Lets some time pass, the more the later the round.
pub(crate) fn pause(round: u32) {
    #[cfg(test)]
    PAUSES.set(PAUSES.get() + 1);
    if round < 4 {
        for _ in 0..FIRST_PAUSE << round {
            hint::spin_loop();
        }
    } else {
        thread::yield_now();
    }
}

/// Lets others run until they have done what is waited for.
pub(super) fn give_way(round: u32) {
    match round {
        0..64 => hint::spin_loop(),
        64..128 => thread::yield_now(),
        // A thread of a higher real-time priority would keep the processor from the one
        // it waits for.
        _ => thread::sleep(Duration::from_micros(50)),
    }
}

/// [`std::cell::UnsafeCell`] in the form that the model checker's has, which sees by it who
/// reads and writes, and when.
pub(crate) struct UnsafeCell<T>(cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(cell::UnsafeCell::new(value))
    }

    /// Lets `f` read.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Lets `f` write.
    #[inline]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

//! Waking tasks at a certain moment, under any executor.
//!
//! One thread of the process sleeps until the earliest moment, for all tasks. The first of them
//! starts it, and it stays.
//!
//! Where no thread can be had, since there are too many or no memory is left, a task is woken
//! at once instead of in time, and so looks again and again whether it is time. That costs
//! processor time, but is late for nothing and fails nobody. Each such look tries to start the
//! thread, so it ends as soon as there is room for one.
//!
//! The child of a fork has a thread and alarms of its own, see [`OfProcess`]. The mutex is the
//! standard library's, whose waiters are nowhere in a list: the thread that waits is not there in
//! the child.

use crate::foreign;
use crate::ordered::{OrderedMap, Ranked};
use crate::process::OfProcess;
use crate::worker;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

static CLOCK: OfProcess<Clock> = OfProcess::new();

/// The number of the latest alarm, also of those that the child of a fork has from its parent.
static LAST: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
struct Clock {
    alarms: Mutex<Alarms>,
    /// There is an alarm that is earlier than all others.
    earlier: Condvar,
}

#[derive(Default)]
struct Alarms {
    /// Whom to wake, by when, and by the alarm's number, which tells those of one moment apart.
    tasks: OrderedMap<(Instant, u64), Waker>,
    /// Whether the thread runs.
    runs: bool,
}

/// A moment, and an alarm's number. What was before the first of them is over, in any order.
impl Ranked for (Instant, u64) {
    fn rank(self) -> [u64; 4] {
        static START: OnceLock<Instant> = OnceLock::new();
        let start = START.get_or_init(Instant::now);
        let since = self.0.saturating_duration_since(*start).as_nanos();
        [u64::try_from(since).unwrap_or(u64::MAX), self.1, 0, 0]
    }
}

/// Wakes a task at a certain moment. Dropping it calls that off.
#[derive(Debug)]
pub(crate) struct Alarm {
    at: Instant,
    /// Its number, once it was set.
    number: Option<u64>,
}

impl Alarm {
    pub(crate) const fn at(at: Instant) -> Self {
        Self { at, number: None }
    }

    pub(crate) fn after(time: Duration) -> Self {
        Self::at(Instant::now() + time)
    }

    pub(crate) const fn moment(&self) -> Instant {
        self.at
    }

    pub(crate) fn is_over(&self) -> bool {
        self.at <= Instant::now()
    }

    /// Whether it is time; else sees to it that the waker is called when it is, and none that
    /// was given before.
    pub(crate) fn poll(&mut self, waker: Waker) -> Poll<()> {
        if self.is_over() {
            return Poll::Ready(());
        }
        let clock = CLOCK.get();
        let mut alarms = clock.lock();
        if !alarms.start(clock) {
            drop(alarms); // Before the waker is called.
            waker.wake();
            return Poll::Pending;
        }
        // Relaxed: that it is another one is all there is to it.
        let new = || LAST.fetch_add(1, Ordering::Relaxed);
        let number = *self.number.get_or_insert_with(new);
        let alarm = (self.at, number);
        let old = alarms.tasks.insert(alarm, waker);
        let is_first = alarms.tasks.first_key_value().map(|(first, _)| *first) == Some(alarm);
        drop(alarms); // Before the old waker is.
        if is_first {
            clock.earlier.notify_one();
        }
        drop(old);
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let old = CLOCK.get().lock().tasks.remove(&(self.at, number));
            drop(old); // After the mutex is free.
        }
    }
}

impl Alarms {
    /// Sees to it that the thread runs, if one can be had.
    fn start(&mut self, clock: &'static Clock) -> bool {
        if !self.runs {
            let run = Box::new(|| clock.run());
            self.runs = worker::start("lockutils-timer", None, run).is_ok();
        }
        self.runs
    }
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, Alarms> {
        // Nothing that panics is half done.
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut alarms = self.lock();
        loop {
            let next = alarms.tasks.first_key_value().map(|(&(at, _), _)| at);
            let rest = next.map(|at| at.saturating_duration_since(Instant::now()));
            alarms = match rest {
                None => {
                    let woken = self.earlier.wait(alarms);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
                Some(rest) if !rest.is_zero() => {
                    let woken = self.earlier.wait_timeout(alarms, rest);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let first = alarms.tasks.remove_first();
                    drop(alarms); // Before the waker is called.
                    // One that panics is no reason for the others to wait for ever.
                    foreign::contain(|| first.into_iter().for_each(Waker::wake));
                    self.lock()
                }
            };
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::sync::Arc;
    use std::sync::mpsc::{self, Sender};
    use std::task::Wake;

    const SOON: Duration = Duration::from_millis(50);

    /// Sends its number when it is called, or panics.
    struct Call(Option<u32>, Mutex<Sender<u32>>);

    impl Wake for Call {
        fn wake(self: Arc<Self>) {
            let number = self.0.expect("this one panics");
            self.1.lock().send(number).unwrap();
        }
    }

    fn waker(number: Option<u32>, send: &Sender<u32>) -> Waker {
        Waker::from(Arc::new(Call(number, Mutex::new(send.clone()))))
    }

    /// Does something with alarms before the first of them is due; again on a machine that
    /// is too busy.
    fn in_time<T>(set: impl Fn(Instant) -> T) -> (Instant, T) {
        loop {
            let start = Instant::now();
            let done = set(start);
            if start.elapsed() < SOON {
                return (start, done);
            }
        }
    }

    #[test]
    fn tasks_are_woken_in_the_order_of_time() {
        let (start, (_alarms, woken)) = in_time(|start| {
            let (send, woken) = mpsc::channel();
            let mut alarms = [5, 3, 2, 2, 1].map(|times| Alarm::at(start + SOON * times));
            for (number, alarm) in (0..).zip(&mut alarms) {
                // One panics, which the others survive.
                let number = Some(number).filter(|number| *number != 1);
                let _ = alarm.poll(waker(number, &send));
            }
            (alarms, woken)
        });
        let order: Vec<_> = woken.iter().take(4).collect();
        assert_eq!(order, [4, 2, 3, 0]);
        assert!(start.elapsed() >= SOON * 5);
    }

    #[test]
    fn alarm_calls_the_latest_waker_and_none_when_it_was_dropped() {
        let (start, (mut alarm, woken, send)) = in_time(|start| {
            let (send, woken) = mpsc::channel();
            let mut alarm = Alarm::at(start + 2 * SOON);
            let mut dropped = Alarm::at(start + SOON);
            let _ = dropped.poll(waker(Some(1), &send));
            let _ = alarm.poll(waker(Some(2), &send));
            let _ = alarm.poll(waker(Some(3), &send));
            (alarm, woken, send)
        });
        assert_eq!(woken.recv().unwrap(), 3);
        assert!(start.elapsed() >= 2 * SOON);
        assert!(woken.try_recv().is_err());
        assert!(alarm.poll(waker(Some(4), &send)).is_ready());
    }
}

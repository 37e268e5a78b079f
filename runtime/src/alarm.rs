//! Waking tasks at a certain moment, under any executor.
//!
//! One thread of the process sleeps until the earliest moment, for all tasks. The first of them
//! starts it, and it stays.
//!
//! Where no thread can be had, since there are too many or no memory is left, a task is woken
//! at once instead of in time, and so looks again and again whether it is time. That costs
//! processor time, but is late for nothing and fails nobody. Each such look tries to start the
//! thread, so it ends as soon as there is room for one.

use crate::foreign;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

static ALARMS: Mutex<Alarms> = Mutex::new(Alarms {
    tasks: BTreeMap::new(),
    last: 0,
    runs: false,
});

/// There is an alarm that is earlier than all others.
static EARLIER: Condvar = Condvar::new();

struct Alarms {
    /// Whom to wake, by when, and by the alarm's number, which tells those of one moment apart.
    tasks: BTreeMap<(Instant, u64), Waker>,
    /// The latest number.
    last: u64,
    /// Whether the thread runs.
    runs: bool,
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

    /// How long it is until then.
    pub(crate) fn rest(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
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
        let mut alarms = ALARMS.lock();
        if !alarms.start() {
            drop(alarms); // Before the waker is called.
            waker.wake();
            return Poll::Pending;
        }
        let number = *self.number.get_or_insert_with(|| {
            alarms.last += 1;
            alarms.last
        });
        let alarm = (self.at, number);
        let old = alarms.tasks.insert(alarm, waker);
        let is_first = alarms.tasks.first_key_value().map(|(first, _)| *first) == Some(alarm);
        drop(alarms); // Before the old waker is.
        if is_first {
            EARLIER.notify_one();
        }
        drop(old);
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let old = ALARMS.lock().tasks.remove(&(self.at, number));
            drop(old); // After the mutex is free.
        }
    }
}

impl Alarms {
    /// Sees to it that the thread runs, if one can be had.
    fn start(&mut self) -> bool {
        if !self.runs {
            let thread = thread::Builder::new().name("lockutils-timer".to_owned());
            self.runs = thread.spawn(run).is_ok();
        }
        self.runs
    }
}

fn run() {
    let mut alarms = ALARMS.lock();
    loop {
        match alarms.tasks.first_entry() {
            None => EARLIER.wait(&mut alarms),
            Some(first) => {
                let (at, _) = *first.key();
                if at <= Instant::now() {
                    let waker = first.remove();
                    // One that panics is no reason for the others to wait for ever.
                    MutexGuard::unlocked(&mut alarms, || foreign::contain(|| waker.wake()));
                } else {
                    EARLIER.wait_until(&mut alarms, at);
                }
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
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

    /// Has something done with alarms before the first of them is due; again on a machine that
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

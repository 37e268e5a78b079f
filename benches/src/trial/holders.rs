//! Whether a waiter pays for the number of those who hold the lock.
//!
//! Before somebody waits it is looked whether that would be a deadlock, which depends on who
//! holds the lock and waits in turn. Here tasks, each of them another one, hold a lock and do
//! not wait; the time is that of one who joins the queue and leaves it again.

use crate::figure;
use crate::measure::{self, Plan, Run};
use crate::target::{Reach, Target, Unit};
use lockutils::{AsyncGuard, LockFuture, Locks};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

const MANY: u32 = 10_000;

/// The clock is looked at once in so many waits.
const PASS: u32 = 32;

static ONE_PERMIT: Locks = Locks::new("one permit");
static PERMITS: Locks = Locks::new("10,000 permits").permits(MANY);
static ONE_READER: Locks = Locks::new("one reader");
static READERS: Locks = Locks::new("10,000 readers");

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let reader = |locks: &Locks| locks.key("key").shared().lock_async();
    let permit = |locks: &Locks| locks.key("key").lock_async();
    let _held = [
        Holders::new(1, || permit(&ONE_PERMIT)),
        Holders::new(MANY, || permit(&PERMITS)),
        Holders::new(1, || reader(&ONE_READER)),
        Holders::new(MANY, || reader(&READERS)),
    ];
    let of = |locks: &'static Locks| -> Run { Box::new(|length| waits(length, locks)) };
    let mut runs = [&ONE_PERMIT, &PERMITS, &ONE_READER, &READERS].map(of);
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    let target = |what, one: &[f64], many: &[f64]| Target {
        what: format!("a waiter behind 10,000 {what} / behind one"),
        reach: Reach::AtMost(2.0, Unit::Times),
        measured: measure::ratio(many, one),
        details: figure::compared(many, one),
    };
    vec![
        target("holders of permits", &times[0], &times[1]),
        target("shared holders", &times[2], &times[3]),
    ]
}

/// A task, which is known by its waker.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

fn poll(mut future: LockFuture, task: &Waker) -> Poll<AsyncGuard> {
    Pin::new(&mut future).poll(&mut Context::from_waker(task))
}

/// Tasks that hold a lock.
struct Holders {
    _guards: Vec<AsyncGuard>,
    /// They live on, or else a later one would have the same name.
    _tasks: Vec<Waker>,
}

impl Holders {
    fn new(count: u32, lock: impl Fn() -> LockFuture) -> Self {
        let tasks: Vec<_> = (0..count).map(|_| Waker::from(Arc::new(Task))).collect();
        let hold = |task| match poll(lock(), task) {
            Poll::Ready(guard) => guard,
            Poll::Pending => panic!("there is room for all of them"),
        };
        Self {
            _guards: tasks.iter().map(hold).collect(),
            _tasks: tasks,
        }
    }
}

/// The nanoseconds in which a task joins the queue of the lock and leaves it.
fn waits(length: Duration, locks: &Locks) -> f64 {
    let task = Waker::from(Arc::new(Task));
    let (start, mut count) = (Instant::now(), 0);
    loop {
        for _ in 0..PASS {
            let polled = poll(locks.key("key").lock_async(), &task);
            assert!(polled.is_pending(), "it is held");
        }
        count += PASS;
        let elapsed = start.elapsed();
        if elapsed >= length {
            break elapsed.as_secs_f64() * 1e9 / f64::from(count);
        }
    }
}

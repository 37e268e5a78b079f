//! How many owners a search looks at. The graph is the process's, and a search looks at who has begun to wait
//! since the last one: so of these tests, which have many wait, one at a time runs.

use crate::future::LockFuture;
use crate::guard::AsyncGuard;
use crate::handle::Handle;
use crate::local::Locks;
use crate::table::waits::STEPS;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

const MANY: u32 = 10_000;

pub(super) static ALONE: Mutex<()> = Mutex::new(());

/// A task, which is known by its waker.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

/// A lock's holders, each a task of its own, or one and the same.
struct Holders {
    guards: Vec<AsyncGuard>,
    wakers: Vec<Waker>,
}

fn poll(future: &mut LockFuture, waker: &Waker) -> Poll<AsyncGuard> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

impl Holders {
    fn new(count: u32, lock: impl Fn() -> LockFuture) -> Self {
        let mut holders = Self {
            guards: Vec::new(),
            wakers: Vec::new(),
        };
        for _ in 0..count {
            holders.add(lock());
        }
        holders
    }

    fn add(&mut self, mut lock: LockFuture) {
        let waker = Waker::from(Arc::new(Task));
        let Poll::Ready(guard) = poll(&mut lock, &waker) else {
            panic!("there is room");
        };
        self.guards.push(guard);
        self.wakers.push(waker);
    }
}

type Lock<'a> = Handle<'a, &'static str>;

/// What so many waiters look at, each a task of its own, all of which stay. One goes before
/// them, which looks at all holders, as each of those has done something for its hold.
fn steps_of_waiters(count: usize, lock: &Lock<'_>) -> u64 {
    let mut waiters = Vec::new();
    for number in 0..=count {
        if number == 1 {
            STEPS.set(0);
        }
        let (mut future, waker) = (lock.lock_async(), Waker::from(Arc::new(Task)));
        assert!(poll(&mut future, &waker).is_pending());
        waiters.push((future, waker));
    }
    STEPS.get()
}

/// The same, of waiters that leave before the next one comes.
fn steps_of_visitors(count: usize, lock: &Lock<'_>) -> u64 {
    steps_of_waiters(0, lock);
    STEPS.set(0);
    for _ in 0..count {
        steps_of_waiters(0, lock);
    }
    STEPS.get()
}

/// Fails unless waiters on a lock with many holders look at about as much as those on a lock
/// with one.
fn assert_bounded(steps: impl Fn(u32) -> u64) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let [one, many] = [1, MANY].map(steps);
    assert!(many <= 4 * one, "{many} instead of {one}");
}

#[test]
fn waiters_for_a_permit_do_not_look_at_its_holders() {
    for steps in [steps_of_waiters, steps_of_visitors] {
        assert_bounded(|permits| {
            let locks = Locks::new("crowded permits").permits(permits);
            let _holders = Holders::new(permits, || locks.key("key").lock_async());
            steps(100, &locks.key("key"))
        });
    }
}

#[test]
fn writers_do_not_look_at_readers() {
    for steps in [steps_of_waiters, steps_of_visitors] {
        assert_bounded(|readers| {
            let locks = Locks::new("crowded readers");
            let _holders = Holders::new(readers, || locks.key("key").shared().lock_async());
            steps(100, &locks.key("key"))
        });
    }
}

#[test]
fn readers_behind_a_writer_do_not_look_at_readers() {
    assert_bounded(|readers| {
        let locks = Locks::new("readers behind a writer");
        let _holders = Holders::new(readers, || locks.key("key").shared().lock_async());
        let mut writer = locks.key("key").lock_async();
        let waker = Waker::from(Arc::new(Task));
        assert!(poll(&mut writer, &waker).is_pending());
        steps_of_waiters(100, &locks.key("key").shared())
    });
}

#[test]
fn permits_of_one_thread_are_looked_at_once() {
    assert_bounded(|permits| {
        let locks = Locks::new("one thread's permits").permits(permits);
        let held: Vec<_> = (0..permits).map(|_| locks.key("key").lock()).collect();
        let steps = steps_of_waiters(100, &locks.key("key"));
        drop(held);
        steps
    });
}

/// Each task of a line waits for the next one, and the last one for nobody.
#[test]
fn long_line_is_gone_through_a_few_times() {
    const LENGTH: u64 = 1000;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let locks = Locks::new("line");
    let wakers: Vec<_> = (0..LENGTH).map(|_| Waker::from(Arc::new(Task))).collect();
    let lock = |number: u64, waker: &Waker| {
        let mut lock = locks.key(number).lock_async();
        let polled = poll(&mut lock, waker);
        (lock, polled)
    };
    let all = || (0..).zip(&wakers);
    let _held: Vec<_> = all().map(|(number, waker)| lock(number, waker)).collect();
    let _line: Vec<_> = all()
        .take(wakers.len() - 1)
        .map(|(number, waker)| lock(number + 1, waker))
        .collect();
    STEPS.set(0);
    let (_newcomer, polled) = lock(0, &Waker::from(Arc::new(Task)));
    assert!(polled.is_pending());
    let steps = STEPS.get();
    assert!((LENGTH..10 * LENGTH).contains(&steps), "{steps}");
}

//! Deadlocks through a lock with so many holders that they aren't looked at one by one.

use super::{LONG, waiters};
use lockutils::{AsyncGuard, ErrorKind, Guard, Locks};
use lockutils_tests::{eventually, in_time, settled_waiters};
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

const MANY: usize = 100;

/// A task, which is known by its waker.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

fn task() -> Waker {
    Waker::from(Arc::new(Task))
}

fn poll<F: Future + Unpin>(future: &mut F, task: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(task))
}

fn hold<F: Future<Output = AsyncGuard> + Unpin>(mut future: F, task: &Waker) -> AsyncGuard {
    let Poll::Ready(guard) = poll(&mut future, task) else {
        panic!("there is room");
    };
    guard
}

/// Whether a task that tries to take the key exclusively has reason to suspect a deadlock.
fn suspects(locks: &Locks, task: &Waker) -> bool {
    let mut tries = locks.key("crowded").lock_timeout_async(Duration::ZERO);
    let Poll::Ready(Err(error)) = poll(&mut tries, task) else {
        panic!("it is held, and there is no time");
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    error.deadlock().is_some()
}

/// A task that shares the crowded lock waits for what the writer holds: before it has its
/// hold, in another of its branches, or afterwards.
#[test]
fn holder_that_waits_is_found_whenever_it_began() {
    in_time(|| {
        let locks = Locks::new("crowded");
        let shared = || locks.key("crowded").shared().lock_async();
        // They live on, or else another one would have the same name.
        let tasks: Vec<_> = (0..MANY).map(|_| task()).collect();
        let others: Vec<_> = tasks.iter().map(|task| hold(shared(), task)).collect();
        let writer = task();
        assert!(!suspects(&locks, &writer));
        for waits_first in [true, false] {
            let own = hold(locks.key("own").lock_async(), &writer);
            let reader = task();
            let mut wait = locks.key("own").lock_async();
            if waits_first {
                assert!(poll(&mut wait, &reader).is_pending());
                assert!(!suspects(&locks, &writer));
            }
            let hold = hold(shared(), &reader);
            assert_eq!(suspects(&locks, &writer), waits_first);
            if !waits_first {
                assert!(poll(&mut wait, &reader).is_pending());
            }
            assert!(suspects(&locks, &writer));
            assert!(suspects(&locks, &writer), "it is still there");
            drop(wait);
            assert!(!suspects(&locks, &writer), "it waits no more");
            drop((hold, own));
        }
        drop(others);
    });
}

/// Of many who share a lock one thread waits for the writer.
#[test]
fn deadlock_among_many_readers_is_found_from_both_sides() {
    in_time(|| {
        let locks = Locks::new("crowded readers");
        for reader_comes_first in [true, false] {
            let others: Vec<Guard> = (0..MANY)
                .map(|_| locks.key("crowded").shared().lock())
                .collect();
            let held = Barrier::new(3);
            let kinds = thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    let shared = locks.key("crowded").shared().lock();
                    held.wait();
                    if !reader_comes_first {
                        eventually("the writer waits", || waiters("crowded readers") == 1);
                    }
                    let own = locks.key("own").lock_timeout(LONG);
                    drop(shared);
                    own.err().map(|error| error.kind())
                });
                let writer = scope.spawn(|| {
                    let own = locks.key("own").lock();
                    held.wait();
                    if reader_comes_first {
                        eventually("the reader waits", || waiters("crowded readers") == 1);
                    }
                    let all = locks.key("crowded").lock_timeout(LONG);
                    drop(own);
                    all.err().map(|error| error.kind())
                });
                held.wait();
                // One of the two fails; the writer has to wait for this thread, if it doesn't.
                eventually("one has failed", || {
                    reader.is_finished() || writer.is_finished()
                });
                drop(others);
                [reader.join().unwrap(), writer.join().unwrap()]
            });
            let failed: Vec<_> = kinds.into_iter().flatten().collect();
            assert_eq!(failed, [ErrorKind::Deadlock]);
        }
    });
}

/// All of many permits are with threads that wait, but for one that a task has.
#[test]
fn permit_of_one_who_does_not_wait_is_enough() {
    in_time(|| {
        let locks = Locks::new("crowded permits").permits(20);
        let own: Vec<_> = (0..19).map(|_| locks.key("crowded").lock()).collect();
        let last = hold(locks.key("crowded").lock_async(), &task());
        let short = Duration::from_millis(1);
        let error = locks.key("crowded").lock_timeout(short).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        drop(last);
        let last = locks.key("crowded").lock();
        let error = locks.key("crowded").lock_timeout(LONG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        drop((own, last));
    });
}

/// Two hold the lock and wait: one for the caller, and one for a thread that runs. Whether the
/// caller's wait for the lock would never end.
fn is_deadlock_beside_one_who_goes_on(locks: &Locks, shared: bool) -> bool {
    let hold = |key| {
        let lock = locks.key(key);
        if shared { lock.shared() } else { lock }.lock()
    };
    // In a space with several permits all of them.
    let all_of = |key| (0..if shared { 1 } else { 2 }).map(move |_| locks.key(key).lock());
    let own: Vec<_> = all_of("own").collect();
    // As if a thread had them that never waits.
    let running: Vec<_> = all_of("running").map(Guard::into_async).collect();
    let there = Barrier::new(3);
    thread::scope(|scope| {
        for key in ["own", "running"] {
            let (there, hold) = (&there, &hold);
            scope.spawn(move || {
                let _hold = hold("both");
                there.wait();
                drop(locks.key(key).lock());
            });
        }
        there.wait();
        eventually("both wait", || settled_waiters(locks.name()) == 2);
        // Only where it is a deadlock does it end before its time.
        let timeout = if shared {
            LONG
        } else {
            Duration::from_millis(100)
        };
        let error = locks.key("both").lock_timeout(timeout).unwrap_err();
        drop((own, running));
        error.kind() == ErrorKind::Deadlock
    })
}

#[test]
fn one_of_two_shared_holders_who_is_stuck_is_enough() {
    in_time(|| {
        let locks = Locks::new("one is stuck");
        assert!(is_deadlock_beside_one_who_goes_on(&locks, true));
    });
}

#[test]
fn permit_of_one_who_waits_for_a_thread_that_runs_comes_back() {
    in_time(|| {
        let locks = Locks::new("one goes on").permits(2);
        assert!(!is_deadlock_beside_one_who_goes_on(&locks, false));
    });
}

//! Bounded unfairness: a waiter of less than a millisecond may be overtaken, one
//! that has waited longer is handed the lock.

use lockutils::Locks;
use lockutils_tests::{ByHand, eventually, in_time};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Returns when those who wait already have waited for longer than a millisecond.
pub(crate) fn outlast_patience() {
    let start = Instant::now();
    eventually("the clock goes on", || {
        start.elapsed() > Duration::from_millis(1)
    });
}

/// How many wait for a key of a space that nobody else has of this name.
fn waiters(locks: &Locks) -> usize {
    let states = lockutils::snapshot();
    let mut ours = states.iter().filter(|lock| lock.space == locks.name());
    ours.next().map_or(0, |lock| lock.waiters)
}

#[test]
fn waiter_of_a_millisecond_is_handed_the_lock() {
    in_time(|| {
        let locks = Locks::new("handed to a task");
        let guard = locks.key("key").lock();
        let mut waiter = ByHand::new(locks.key("key").lock_async());
        assert!(waiter.poll().is_pending());
        outlast_patience();
        drop(guard);
        assert!(locks.key("key").try_lock().is_err(), "it is the waiter's");
        assert_eq!(waiter.woken(), 1);
        assert!(waiter.poll().is_ready());
    });
}

#[test]
fn blocked_thread_of_a_millisecond_is_handed_the_lock() {
    in_time(|| {
        let locks = Locks::new("handed to a thread");
        let guard = locks.key("key").lock();
        let taken = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = locks.key("key").lock();
                taken.store(true, Ordering::SeqCst);
            });
            eventually("the thread waits", || waiters(&locks) == 1);
            outlast_patience();
            drop(guard);
            // Whoever takes it next, the thread has had it.
            let _guard = locks.key("key").lock();
            assert!(taken.load(Ordering::SeqCst));
        });
    });
}

/// First come, first served, among those who have waited.
#[test]
fn waiters_are_handed_the_lock_in_order() {
    in_time(|| {
        let locks = Locks::new("in order");
        let mut guard = locks.key("key").lock().into_async();
        let mut queue: Vec<_> = (0..10)
            .map(|_| ByHand::new(locks.key("key").lock_async()))
            .collect();
        // Polled, so queued, in another order than they were made.
        queue.reverse();
        assert!(queue.iter_mut().all(|waiter| waiter.poll().is_pending()));
        outlast_patience();
        for index in 0..10 {
            drop(guard);
            assert!(queue[index + 1..].iter().all(|waiter| waiter.woken() == 0));
            let std::task::Poll::Ready(next) = queue[index].poll() else {
                panic!("number {index} is next");
            };
            guard = next;
        }
    });
}

/// A thread that lets go only to lock again can't keep another out, however often it
/// does so: once somebody has waited through a hold of a millisecond, the next hold
/// is somebody else's. That is counted, not timed, so it holds on any machine.
#[test]
fn thread_that_locks_again_and_again_starves_nobody() {
    const TURNS: usize = 50;
    in_time(|| {
        let locks = Locks::new("starvation");
        let done = AtomicBool::new(false);
        let others_turn = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..TURNS {
                    let _guard = locks.key("key").lock();
                    others_turn.store(false, Ordering::SeqCst);
                }
                done.store(true, Ordering::SeqCst);
            });
            while !done.load(Ordering::SeqCst) {
                let _guard = locks.key("key").lock();
                assert!(!others_turn.load(Ordering::SeqCst), "overtook the waiter");
                let waited_through = waiters(&locks) == 1;
                outlast_patience();
                others_turn.store(waited_through, Ordering::SeqCst);
            }
        });
    });
}

#[test]
fn waiter_that_was_overtaken_is_woken_again() {
    in_time(|| {
        let locks = Locks::new("overtaken");
        let mut waiter = ByHand::new(locks.key("key").lock_async());
        let mut guard = locks.key("key").lock();
        assert!(waiter.poll().is_pending());
        drop(guard);
        // On a busy machine the waiter may have waited long enough by now.
        while let Ok(overtaker) = locks.key("key").try_lock() {
            guard = overtaker;
            assert_eq!(waiter.woken(), 1);
            assert!(waiter.poll().is_pending());
            assert_eq!(waiter.woken(), 0);
            drop(guard);
            assert_eq!(waiter.woken(), 1);
        }
        assert!(waiter.poll().is_ready());
    });
}

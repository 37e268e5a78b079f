//! What becomes of a wake-up or a lock that was on its way to a waiter that is
//! dropped; step by step, where [`conformance`](crate::conformance) leaves the order
//! to chance.

use crate::fairness::outlast_patience;
use lockutils::{Guard, LockFuture, Locks};
use lockutils_tests::{ByHand, in_time};

/// A holder, and two waiters that have been polled once, first come first.
fn queue_of_two(locks: &Locks) -> (Guard, ByHand<LockFuture>, ByHand<LockFuture>) {
    let guard = locks.key("key").lock();
    let mut waiters = [(); 2].map(|()| ByHand::new(locks.key("key").lock_async()));
    for waiter in &mut waiters {
        assert!(waiter.poll().is_pending());
    }
    let [first, second] = waiters;
    (guard, first, second)
}

#[test]
fn release_wakes_the_first_waiter_only() {
    in_time(|| {
        let locks = Locks::new("cancellation");
        let (guard, first, second) = queue_of_two(&locks);
        drop(guard);
        assert_eq!((first.woken(), second.woken()), (1, 0));
    });
}

#[test]
fn dropped_waiter_that_had_been_woken_passes_the_wake_up_on() {
    in_time(|| {
        let locks = Locks::new("cancellation");
        let (guard, first, mut second) = queue_of_two(&locks);
        drop(guard);
        assert_eq!(second.woken(), 0);
        drop(first);
        assert_eq!(second.woken(), 1);
        assert!(second.poll().is_ready());
    });
}

#[test]
fn dropped_waiter_that_was_handed_the_lock_passes_it_on() {
    in_time(|| {
        let locks = Locks::new("cancellation");
        let (guard, first, mut second) = queue_of_two(&locks);
        outlast_patience();
        drop(guard);
        drop(first);
        assert_eq!(second.woken(), 1);
        assert!(locks.key("key").try_lock().is_err(), "it is the second's");
        assert!(second.poll().is_ready());
    });
}

#[test]
fn last_waiter_that_was_handed_the_lock_and_dropped_releases_it() {
    in_time(|| {
        let locks = Locks::new("cancellation");
        let (guard, first, second) = queue_of_two(&locks);
        outlast_patience();
        drop(guard);
        drop(first);
        drop(second);
        assert!(locks.key("key").try_lock().is_ok());
    });
}

#[test]
fn dropped_waiter_behind_another_wakes_nobody() {
    in_time(|| {
        let locks = Locks::new("cancellation");
        let (guard, mut first, second) = queue_of_two(&locks);
        drop(second);
        assert_eq!(first.woken(), 0);
        drop(guard);
        assert_eq!(first.woken(), 1);
        assert!(first.poll().is_ready());
    });
}

#[test]
fn dropped_waiter_of_a_held_lock_wakes_nobody() {
    in_time(|| {
        let locks = Locks::new("cancellation");
        let (guard, first, mut second) = queue_of_two(&locks);
        drop(first);
        assert_eq!(second.woken(), 0);
        assert!(second.poll().is_pending());
        drop(guard);
        assert_eq!(second.woken(), 1);
        assert!(second.poll().is_ready());
    });
}

/// The waiter's hold, dropped with the result of its last poll, is a release as any.
#[test]
fn guard_that_nobody_looked_at_releases() {
    in_time(|| {
        let locks = Locks::new("cancellation");
        let (guard, mut first, second) = queue_of_two(&locks);
        drop(guard);
        assert!(first.poll().is_ready());
        assert_eq!(second.woken(), 1);
    });
}

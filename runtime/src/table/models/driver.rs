//! Models of waiting: threads and tasks that go on, give up, or are dropped.
//!
//! | in the drivers | caught by |
//! |---|---|
//! | `into_async` without `disown` | `sent_guards_against_acquire` |
//! | `InProcess`: not done once it has the lock; dropped without leaving the queue | `cancel_against_hand_over` |
//! | `block`: no look for a deadlock | `deadlock_of_two_who_cannot_fail` |
//! | `block_for`: no look for a deadlock | `deadlock_against_deadlock` |
//! | `block_for`: no end | `timeout_against_hand_over` |
//! | `settle`: keeps its place in the queue when the time is over | `timeout_of_a_task_against_hand_over` |
//! | `Signal`: the call not noted; noted after the notification; no notification; a call before the wait forgotten | `acquire_against_acquire` |
//! | `Signal`: one call for all waits | `timeout_of_zero_against_wake_up` |
//! | several keys in the order given | `several_keys_against_the_same` |

use super::{FAIR, LOCKS, PATIENCE, Protected, block_on, changer, model, poll_once};
use crate::local::Locks;
use crate::sync::pass;
use loom::thread::{self, JoinHandle};
use std::pin::pin;
use std::time::Duration;

#[test]
fn task_against_thread() {
    model(5, || {
        let protected = Protected::new();
        let thread = changer(&LOCKS, "0", &protected);
        let guard = block_on(LOCKS.key("0").lock_async());
        protected.change();
        drop(guard);
        thread.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

#[test]
fn repoll_against_release() {
    model(5, || {
        let guard = LOCKS.key("0").lock();
        let mut future = LOCKS.key("0").lock_async();
        // Its first waker wakes nobody.
        assert!(poll_once(&mut future).is_pending());
        let task = thread::spawn(|| drop(block_on(future)));
        drop(guard);
        task.join().unwrap();
    });
}

/// While the holder releases, the first waiter gives up, and a second one waits or comes.
fn cancel(locks: &'static Locks) {
    let protected = Protected::new();
    let guard = locks.key("0").lock();
    let mut cancelled = locks.key("0").lock_async();
    assert!(poll_once(&mut cancelled).is_pending());
    let waiter = changer(locks, "0", &protected);
    let cancel = thread::spawn(move || drop(cancelled));
    protected.change();
    drop(guard);
    cancel.join().unwrap();
    waiter.join().unwrap();
    assert_eq!(protected.changes(), 2);
}

#[test]
fn cancel_against_hand_over() {
    model(3, || cancel(&FAIR));
}

#[test]
fn cancel_against_wake_up() {
    model(2, || cancel(&LOCKS));
}

/// A thread that takes the lock in time or gives up; says how often it changed what is
/// protected.
fn timed(locks: &'static Locks, timeout: Duration, protected: &Protected) -> JoinHandle<u32> {
    let protected = protected.clone();
    thread::spawn(move || {
        let (taken, line) = (locks.key("0").lock_timeout(timeout), line!());
        match &taken {
            Ok(_guard) => protected.change(),
            Err(error) => {
                let holder = error
                    .holder()
                    .and_then(|holder| Some(holder.site()?.location().line()));
                assert_ne!(holder, Some(line), "it was in its own way");
            }
        }
        u32::from(taken.is_ok())
    })
}

/// While the holder releases, the waiter's time comes to its end.
fn timeout(locks: &'static Locks) {
    let protected = Protected::new();
    let guard = locks.key("0").lock();
    let timed = timed(locks, PATIENCE, &protected);
    protected.change();
    pass(PATIENCE);
    drop(guard);
    let changes = timed.join().unwrap();
    assert_eq!(protected.changes(), 1 + changes);
}

#[test]
fn timeout_against_hand_over() {
    model(5, || timeout(&FAIR));
}

#[test]
fn timeout_against_wake_up() {
    model(5, || timeout(&LOCKS));
}

/// While the holder releases, a waiter gives up, before or after a second one comes.
fn give_up(locks: &'static Locks) {
    let protected = Protected::new();
    let guard = locks.key("0").lock();
    let timed = timed(locks, Duration::ZERO, &protected);
    let waiter = changer(locks, "0", &protected);
    protected.change();
    drop(guard);
    let changes = timed.join().unwrap();
    waiter.join().unwrap();
    assert_eq!(protected.changes(), 2 + changes);
}

#[test]
fn timeout_of_zero_against_hand_over() {
    model(2, || give_up(&FAIR));
}

#[test]
fn timeout_of_zero_against_wake_up() {
    model(2, || give_up(&LOCKS));
}

/// As [`give_up`], by a task that keeps its future.
fn give_up_task(locks: &'static Locks) {
    let protected = Protected::new();
    let guard = locks.key("0").lock();
    let timed = {
        let protected = protected.clone();
        thread::spawn(move || {
            let mut timed = pin!(locks.key("0").lock_timeout_async(Duration::ZERO));
            if let Ok(_guard) = block_on(timed.as_mut()) {
                protected.change();
            }
            let _guard = locks.key("0").lock();
            protected.change();
        })
    };
    protected.change();
    drop(guard);
    timed.join().unwrap();
}

#[test]
fn timeout_of_a_task_against_hand_over() {
    model(5, || give_up_task(&FAIR));
}

#[test]
fn timeout_of_a_task_against_wake_up() {
    model(5, || give_up_task(&LOCKS));
}

#[test]
fn several_keys_against_the_same() {
    model(3, || {
        let protected = Protected::new();
        let other = {
            let protected = protected.clone();
            thread::spawn(move || {
                let _guard = LOCKS.keys(["1", "0"]).lock();
                protected.change();
            })
        };
        let guard = LOCKS.keys(["0", "1"]).lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

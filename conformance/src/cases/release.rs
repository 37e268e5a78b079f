//! When a lock is free again: when its guard is dropped, wherever and for whatever reason. And
//! what somebody is told who finds that it isn't.

use crate::by_hand::ByHand;
use crate::subject::Subject;
use crate::take::{KEY, hold, hold_async, is_free, one_thread, try_hold, wait};
use crate::test::Test;
use lockutils::ErrorKind;
use lockutils::engine::Mode;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// The lock is held until the guard is dropped, by a thread and by a task.
pub fn drop_releases<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = hold(&space, KEY);
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));

    let guard = one_thread().block_on(hold_async(&space, KEY));
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// A task may move to another thread while it holds a lock.
pub fn async_guard_is_released_on_another_thread<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = one_thread().block_on(hold_async(&space, KEY));
    thread::spawn(move || drop(guard)).join().unwrap();
    assert!(is_free(&space, KEY));
}

/// A try gives up at once, says why, and leaves the holder alone.
pub fn try_on_a_held_key_is_busy<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = hold(&space, ("vm", 7));
    let error = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let tried = try_hold(&space, ("vm", 7));
            tried.map(drop).unwrap_err()
        });
        other.join().unwrap()
    });
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.key(), Some("vm/7"));
    assert_eq!(error.waited(), Duration::ZERO);
    assert!(!is_free(&space, ("vm", 7)));
    drop(guard);
    assert!(is_free(&space, ("vm", 7)));
}

/// A try of a key that one holds oneself doesn't wait for ever. Twice, and after a
/// success as well.
pub fn try_is_busy_for_the_holder_too<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = try_hold(&space, KEY);
    assert!(guard.is_ok());
    for _ in 0..2 {
        let again = try_hold(&space, KEY);
        assert_eq!(again.map(drop).unwrap_err().kind(), ErrorKind::Busy);
    }
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// A task that tries gives up at once, or has the lock.
pub fn try_of_a_task_is_busy_or_has_the_lock<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let tries = || {
        let wait = wait(&space, KEY, Mode::Exclusive);
        pollster::block_on(wait.try_async())
    };
    let guard = tries().unwrap();
    let error = tries().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.key(), Some(KEY));
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// A panic releases, and doesn't spoil the lock for those who wait.
pub fn panic_of_a_thread_releases<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let (held, queued) = (Barrier::new(2), Barrier::new(2));
    let mut waiter = ByHand::new(hold_async(&space, KEY));
    thread::scope(|scope| {
        let panicking = scope.spawn(|| {
            let _guard = hold(&space, KEY);
            held.wait();
            queued.wait();
            panic!("inside");
        });
        held.wait();
        assert!(waiter.poll().is_pending());
        queued.wait();
        assert!(panicking.join().is_err());
    });
    drop(waiter.finish());
    assert!(is_free(&space, KEY));
}

/// The same in a task.
pub fn panic_of_a_task_releases<S: Subject>(test: &Test<S>) {
    let space = Arc::new(test.space());
    let runtime = one_thread();
    let (held, is_held) = oneshot::channel();
    let (queued, is_queued) = oneshot::channel();
    let panicking = runtime.spawn({
        let space = Arc::clone(&space);
        async move {
            let _guard = hold_async(&space, KEY).await;
            held.send(()).unwrap();
            is_queued.await.unwrap();
            panic!("inside");
        }
    });
    runtime.block_on(async {
        is_held.await.unwrap();
        let mut waiter = ByHand::new(hold_async(&space, KEY));
        assert!(waiter.poll().is_pending());
        queued.send(()).unwrap();
        assert!(panicking.await.unwrap_err().is_panic());
        drop(waiter.finish());
    });
    assert!(is_free(&space, KEY));
}

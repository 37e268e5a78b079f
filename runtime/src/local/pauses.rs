//! Whoever has room doesn't pause: counted for every kind of hold, by thread and by task.
//!
//! Not counted is the moment in which another thread, that has just taken another key of the
//! bucket, writes down so: these tests run beside others. That nobody looks at the clock
//! either, nor asks the system for anything, is seen from outside, by the tests of
//! `uncontended.rs`.

use super::Locks;
use crate::alone::is_alone;
use crate::handle::Handle;
use crate::snapshot::snapshot;
use crate::sync::PAUSES;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// How often `call` pauses.
fn pauses<T>(call: impl FnOnce() -> T) -> usize {
    let before = PAUSES.get();
    drop(black_box(call()));
    PAUSES.get() - before
}

fn poll<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("there is room"),
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Takes a lock in every way, and again by the same thread, and counts.
fn take(handle: impl Fn() -> Handle<'static, u64>) -> usize {
    let ways = pauses(|| handle().lock())
        + pauses(|| handle().try_lock().unwrap())
        + pauses(|| handle().lock_timeout(SECOND).unwrap())
        + pauses(|| poll(handle().lock_async()))
        + pauses(|| poll(handle().lock_timeout_async(SECOND)).unwrap());
    let _outer = handle().lock();
    let again = || handle().reentrant();
    ways + pauses(|| again().lock())
        + pauses(|| again().try_lock().unwrap())
        + pauses(|| again().lock_timeout(SECOND).unwrap())
}

static PLAIN: Locks = Locks::new("pauses");
static FAIR: Locks = Locks::new("pauses, fair").fair();
static COUNTED: Locks = Locks::new("pauses, counted").permits(4);

/// One that the tests of many keys don't take.
const KEY: u64 = u64::MAX;

#[test]
fn hold_with_room_does_not_pause() {
    for locks in [&PLAIN, &FAIR, &COUNTED] {
        assert_eq!(take(|| locks.key(KEY)), 0, "{}", locks.name());
        assert_eq!(take(|| locks.key(KEY).shared()), 0, "{}", locks.name());
        let long = "x".repeat(100);
        assert_eq!(pauses(|| locks.key(&long).lock()), 0);
        assert_eq!(pauses(|| locks.keys([KEY, KEY - 1]).lock()), 0);
        assert_eq!(pauses(|| locks.keys([KEY, KEY - 1]).shared().lock()), 0);
        assert_eq!(pauses(|| locks.keys([KEY, KEY - 1]).try_lock().unwrap()), 0);
        assert_eq!(pauses(|| poll(locks.keys([KEY, KEY - 1]).lock_async())), 0);
    }
    let _others = [(); 3].map(|()| COUNTED.key(KEY).lock());
    assert_eq!(pauses(|| COUNTED.key(KEY).lock()), 0);
}

/// So many that each of the keys looked at finds some in its bucket: held by the bucket
/// alone, where it is the first to come, and as entries. And so that other tests find hardly a bucket that is free.
#[test]
fn hold_beside_other_keys_does_not_pause() {
    let name = "hold_beside_other_keys_does_not_pause";
    if !is_alone(&format!("{}::{name}", module_path!())) {
        return;
    }
    let held: Vec<_> = (0..20_000).map(|key| PLAIN.key(key).lock()).collect();
    for key in 20_000..20_100 {
        for locks in [&PLAIN, &FAIR, &COUNTED] {
            assert_eq!(take(|| locks.key(key)), 0, "{}", locks.name());
        }
    }
    drop(held);
    for round in 0..100 {
        let keys = |from: u64| (from..from + 200).map(|key| 1000 * round + key);
        let _held: Vec<_> = keys(0).map(|key| FAIR.key(key).lock()).collect();
        let take = |key| pauses(|| PLAIN.key(key).lock());
        assert_eq!(keys(200).map(take).sum::<usize>(), 0, "{round}");
    }
}

/// The count sees what it is for: a thread that finds its own key held for a while.
#[test]
fn contended_lock_pauses() {
    static LOCKS: Locks = Locks::new("pauses, contended");
    let [held, is_awaited] = [Barrier::new(2), Barrier::new(2)];
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = LOCKS.key(7).lock();
            held.wait();
            is_awaited.wait();
        });
        held.wait();
        let waiter = scope.spawn(|| pauses(|| LOCKS.key(7).lock()));
        let is_awaited_now = || {
            let mut locks = snapshot().into_iter();
            locks.any(|lock| lock.space == LOCKS.name() && lock.waiters > 0)
        };
        while !is_awaited_now() {
            thread::yield_now();
        }
        is_awaited.wait();
        assert!(waiter.join().unwrap() > 0);
    });
}

//! Futures that are dropped before they are ready, and tasks that are dropped inside.

use crate::by_hand::ByHand;
use crate::limit::eventually;
use crate::lockstep::Lockstep;
use crate::subject::Subject;
use crate::take::{KEY, hold, hold_async, is_free, one_thread, rounds};
use crate::test::Test;
use futures::future;
use lockutils::engine::{Machine, Space};
use std::fmt::Debug;
use std::hint;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A future does nothing before it is polled, and nothing when it is dropped then.
pub fn future_that_was_not_polled_holds_nothing<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let future = hold_async(&space, KEY);
    assert!(is_free(&space, KEY));
    let guard = hold(&space, KEY);
    drop(future);
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// A task that is dropped inside, at an `.await`, releases.
pub fn cancelled_holder_releases<S: Subject>(test: &Test<S>) {
    let space = Arc::new(test.space());
    let runtime = one_thread();
    let (inside, is_inside) = oneshot::channel();
    let holder = runtime.spawn({
        let space = Arc::clone(&space);
        async move {
            let _guard = hold_async(&space, KEY).await;
            inside.send(()).unwrap();
            future::pending::<()>().await;
        }
    });
    runtime.block_on(async {
        is_inside.await.unwrap();
        assert!(!is_free(&space, KEY));
        holder.abort();
        assert!(holder.await.unwrap_err().is_cancelled());
        assert!(is_free(&space, KEY));
    });
}

/// A waiter that is dropped doesn't get the lock later.
pub fn cancelled_waiter_leaves_queue<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = hold(&space, KEY);
    let mut waiter = ByHand::new(hold_async(&space, KEY));
    assert!(waiter.poll().is_pending());
    drop(waiter);
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// Waiters that are dropped, at the front, in the middle and at the end of the
/// queue, don't stop the others.
pub fn cancelled_waiter_lets_those_behind_it_through<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = hold(&space, KEY);
    let mut waiters: Vec<_> = (0..6)
        .map(|_| ByHand::new(hold_async(&space, KEY)))
        .collect();
    assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_pending()));
    for dropped in [5, 2, 0] {
        drop(waiters.remove(dropped));
    }
    drop(guard);
    for waiter in waiters {
        drop(waiter.finish());
    }
    assert!(is_free(&space, KEY));
}

/// A waiter is dropped in the very moment in which the lock comes to it. Whichever
/// is first, the one behind it must get the lock.
///
/// Few keys at a time, so that the waiters are young, and then many whose waiters
/// have waited for some time, since engines treat the two differently.
pub fn dropped_waiters_lose_no_hand_over<S: Subject>(test: &Test<S>) {
    let space = test.space();
    for _ in rounds(200) {
        drop_waiters_and_holders_at_once(&space, 10, Duration::ZERO);
    }
    for _ in rounds(4) {
        drop_waiters_and_holders_at_once(&space, 500, Duration::from_millis(2));
    }
}

/// One thread goes along the holders of all keys and another along their first
/// waiters, in step.
fn drop_waiters_and_holders_at_once<S>(space: &S, keys: usize, wait: Duration)
where
    S: Space<Machine: Machine<Hold: Send, Failure: Debug + Send> + Send> + Sync,
{
    // All of one length, so that their texts are in the same order.
    let keys = 1000..1000 + keys;
    let waiters = || -> Vec<_> {
        let polled = |key| {
            let mut waiter = ByHand::new(hold_async(space, key));
            assert!(waiter.poll().is_pending());
            waiter
        };
        keys.clone().map(polled).collect()
    };
    let guards: Vec<_> = keys.clone().map(|key| hold(space, key)).collect();
    let (firsts, seconds) = (waiters(), waiters());
    let queued = Instant::now();
    eventually("the clock goes on", || queued.elapsed() >= wait);

    let lockstep = Lockstep::new();
    let meet = |side: usize, index: usize| {
        lockstep.meet(side);
        // So that each side is first at times, and by a different lead.
        for _ in 0..(index * (side + 1)) % 17 {
            hint::spin_loop();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            for (index, waiter) in firsts.into_iter().enumerate() {
                meet(0, index);
                drop(waiter);
            }
        });
        for (index, guard) in guards.into_iter().enumerate() {
            meet(1, index);
            drop(guard);
        }
    });
    for second in seconds {
        drop(second.finish());
    }
    assert!(keys.clone().all(|key| is_free(space, key)));
}

//! Spaces in which several may hold a key at once.

use crate::fairness::outlast_patience;
use lockutils::{AsyncGuard, ErrorKind, LockFuture, Locks};
use lockutils_tests::{ByHand, Recorder, in_time, states, waiters, yield_now};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;
use std::time::Duration;

fn is_busy(locks: &Locks) -> bool {
    let tried = [
        locks.key("key").try_lock(),
        locks.key("key").shared().try_lock(),
    ];
    let busy = tried.map(|tried| tried.is_err_and(|error| error.kind() == ErrorKind::Busy));
    assert_eq!(
        busy[0], busy[1],
        "a shared hold takes a permit as any other"
    );
    busy[0]
}

/// Holds that are no thread's, so that waiting for them is no deadlock.
fn hold(locks: &Locks, permits: usize) -> Vec<AsyncGuard> {
    (0..permits)
        .map(|_| locks.key("key").lock().into_async())
        .collect()
}

/// Futures that have been polled once, first come first.
fn queue(locks: &Locks, length: usize) -> Vec<ByHand<LockFuture>> {
    let queued = |_| {
        let mut waiter = ByHand::new(locks.key("key").lock_async());
        assert!(waiter.poll().is_pending());
        waiter
    };
    (0..length).map(queued).collect()
}

fn woken(queue: &[ByHand<LockFuture>]) -> Vec<usize> {
    queue.iter().map(ByHand::woken).collect()
}

#[test]
#[should_panic(expected = "a lock with no permits could never be taken")]
fn no_permits_is_no_lock() {
    let _ = Locks::new("none").permits(0);
}

/// So many threads and tasks are inside together, and the next one has to wait.
#[test]
fn as_many_as_there_are_permits_are_inside_and_no_more() {
    in_time(|| {
        for permits in [1, 2, 3, 10] {
            let locks = Locks::new("reached").permits(permits);
            let all_inside = Barrier::new(permits as usize + 1);
            let tried = Barrier::new(permits as usize + 1);
            thread::scope(|scope| {
                for number in 0..permits {
                    let (locks, all_inside, tried) = (&locks, &all_inside, &tried);
                    scope.spawn(move || {
                        let key = locks.key("key");
                        let _guard = match number % 4 {
                            0 => key.lock().into_async(),
                            1 => pollster::block_on(key.lock_async()),
                            2 => key.try_lock().unwrap().into_async(),
                            _ => key.lock_timeout(Duration::ZERO).unwrap().into_async(),
                        };
                        all_inside.wait();
                        tried.wait();
                    });
                }
                all_inside.wait();
                assert_eq!(states(&locks)[0].holders.len(), permits as usize);
                assert!(is_busy(&locks));
                assert!(locks.key("key").lock_timeout(Duration::ZERO).is_err());
                assert!(!locks.key("other").is_locked());
                tried.wait();
            });
            assert!(states(&locks).is_empty());
        }
    });
}

/// Threads and tasks that come and go.
#[test]
fn never_more_than_there_are_permits_are_inside() {
    const PERMITS: u32 = 3;
    const ROUNDS: usize = 200;
    const EACH: usize = 5;
    in_time(|| {
        for fair in [false, true] {
            let locks = Locks::new("never more").permits(PERMITS);
            let locks = if fair { locks.fair() } else { locks };
            let shared = Arc::new((locks, Recorder::new()));
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .build()
                .unwrap();
            let tasks: Vec<_> = (0..EACH)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    runtime.spawn(async move {
                        for _ in 0..ROUNDS {
                            let _guard = shared.0.key("key").lock_async().await;
                            let _stay = shared.1.enter();
                            yield_now().await;
                        }
                    })
                })
                .collect();
            thread::scope(|scope| {
                for _ in 0..EACH {
                    scope.spawn(|| {
                        for _ in 0..ROUNDS {
                            let _guard = shared.0.key("key").shared().lock();
                            let _stay = shared.1.enter();
                            thread::yield_now();
                        }
                    });
                }
            });
            runtime.block_on(async {
                for task in tasks {
                    task.await.unwrap();
                }
            });
            // More than one are a matter of luck; that they can be is tested above.
            assert!(shared.1.most_at_once() <= PERMITS as usize);
            assert!(states(&shared.0).is_empty());
        }
    });
}

#[test]
fn shared_hold_takes_one_permit() {
    in_time(|| {
        let locks = Locks::new("shared permit").permits(2);
        let shared = locks.key("key").shared().lock();
        let exclusive = locks.key("key").try_lock().unwrap();
        assert!(is_busy(&locks));
        drop(shared);
        let again = locks.key("key").shared().try_lock().unwrap();
        assert!(is_busy(&locks));
        drop((exclusive, again));
        assert!(states(&locks).is_empty());
    });
}

/// With one permit a lock is as it is without the word: shared holds go together.
#[test]
fn one_permit_is_a_lock_as_any() {
    in_time(|| {
        let locks = Locks::new("one permit").permits(1);
        let shared = [(); 2].map(|()| locks.key("key").shared().lock());
        assert!(locks.key("key").try_lock().is_err());
        drop(shared);
        assert!(locks.key("key").try_lock().is_ok());
    });
}

#[test]
fn each_key_has_its_own_permits() {
    in_time(|| {
        let locks = Locks::new("own permits").permits(2);
        let _both = hold(&locks, 2);
        let _others = [(); 2].map(|()| locks.key("other").try_lock().unwrap());
        assert!(locks.key("other").try_lock().is_err());
    });
}

#[test]
fn there_may_be_very_many_permits() {
    in_time(|| {
        let locks = Locks::new("very many").permits(u32::MAX);
        let guards = hold(&locks, 1000);
        assert!(locks.key("key").try_lock().is_ok());
        drop(guards);
        assert!(states(&locks).is_empty());
    });
}

/// A permit that comes back wakes one waiter; and who takes it wakes the next one, if
/// another has come back meanwhile.
#[test]
fn each_permit_that_comes_back_lets_one_waiter_in() {
    in_time(|| {
        let locks = Locks::new("comes back").permits(2);
        let mut guards = hold(&locks, 2);
        let mut queue = queue(&locks, 3);
        drop(guards.pop());
        assert_eq!(woken(&queue), [1, 0, 0]);
        drop(guards.pop());
        let first = queue[0].poll();
        assert!(first.is_ready());
        assert_eq!(woken(&queue[1..]), [1, 0]);
        let second = queue[1].poll();
        assert!(second.is_ready());
        assert_eq!(woken(&queue[2..]), [0]);
        assert!(queue[2].poll().is_pending());
        drop(second);
        assert_eq!(woken(&queue[2..]), [1]);
        assert!(queue[2].poll().is_ready());
    });
}

#[test]
fn permits_are_handed_to_those_who_have_waited() {
    in_time(|| {
        let locks = Locks::new("handed permits").permits(3);
        let mut guards = hold(&locks, 3);
        let mut queue = queue(&locks, 3);
        outlast_patience();
        guards.truncate(1);
        assert_eq!(woken(&queue), [1, 1, 0]);
        assert!(is_busy(&locks), "the permits are the waiters'");
        assert_eq!(states(&locks)[0].holders.len(), 3);
        // In any order, since they have them.
        let guards = [queue[1].poll(), queue[0].poll()];
        assert!(guards.iter().all(Poll::is_ready));
        assert!(queue[2].poll().is_pending());
        drop(guards);
        assert!(queue[2].poll().is_ready());
    });
}

#[test]
fn dropped_waiter_passes_its_permit_on() {
    in_time(|| {
        for patience in [true, false] {
            let locks = Locks::new("passed on").permits(2);
            let mut guards = hold(&locks, 2);
            let mut queue = queue(&locks, 2);
            if patience {
                outlast_patience();
            }
            drop(guards.pop());
            drop(queue.remove(0));
            assert_eq!(woken(&queue), [1]);
            assert!(queue[0].poll().is_ready());
            drop(guards);
            assert!(states(&locks).is_empty());
        }
    });
}

#[test]
fn waiter_leaves_the_queue_and_the_permits_alone() {
    in_time(|| {
        let locks = Locks::new("left alone").permits(2);
        let guards = hold(&locks, 2);
        let mut queue = queue(&locks, 3);
        drop(queue.remove(1));
        drop(queue.remove(0));
        assert_eq!((woken(&queue), waiters(&locks)), (vec![0], 1));
        assert!(queue[0].poll().is_pending());
        drop(guards);
        assert!(queue[0].poll().is_ready());
    });
}

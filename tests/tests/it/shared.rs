//! Shared holds: together with each other, and never with an exclusive one.
//!
//! The second half are stories of readers and writers from the tests of `fasteners`.

use crate::fairness::outlast_patience;
use lockutils::{AsyncGuard, ErrorKind, LockFuture, Locks};
use lockutils_tests::{
    ByHand, Recorder, eventually, in_time, states, waiters as waiting, yield_now,
};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;

fn is_busy<T>(tried: &Result<T, lockutils::Error>) -> bool {
    matches!(tried, Err(error) if error.kind() == ErrorKind::Busy)
}

/// Futures that have been polled once, first come first.
fn queue(locks: &Locks, shared: impl IntoIterator<Item = bool>) -> Vec<ByHand<LockFuture>> {
    let queued = |shared| {
        let handle = locks.key("key");
        let future = if shared {
            handle.shared().lock_async()
        } else {
            handle.lock_async()
        };
        let mut waiter = ByHand::new(future);
        assert!(waiter.poll().is_pending());
        waiter
    };
    shared.into_iter().map(queued).collect()
}

fn taken(waiter: &mut ByHand<LockFuture>) -> AsyncGuard {
    let Poll::Ready(guard) = waiter.poll() else {
        panic!("the lock is the waiter's");
    };
    guard
}

#[test]
fn shared_holders_are_inside_together() {
    in_time(|| {
        let locks = Locks::new("shared together");
        let all_inside = Barrier::new(4);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = locks.key("key").shared().lock();
                all_inside.wait();
            });
            scope.spawn(|| {
                let _guard = locks.key("key").shared().try_lock().unwrap();
                all_inside.wait();
            });
            scope.spawn(|| {
                pollster::block_on(async {
                    let _guard = locks.key("key").shared().lock_async().await;
                    all_inside.wait();
                });
            });
            let _guard = locks.key("key").shared().lock();
            all_inside.wait();
        });
        assert!(states(&locks).is_empty());
    });
}

#[test]
fn shared_excludes_exclusive_and_the_reverse() {
    in_time(|| {
        let locks = Locks::new("shared and exclusive");
        let key = || locks.key("key");
        let shared: [fn(&Locks) -> AsyncGuard; 3] = [
            |locks| locks.key("key").shared().lock().into_async(),
            |locks| locks.key("key").shared().try_lock().unwrap().into_async(),
            |locks| pollster::block_on(locks.key("key").shared().lock_async()),
        ];
        let exclusive: [fn(&Locks) -> AsyncGuard; 3] = [
            |locks| locks.key("key").lock().into_async(),
            |locks| locks.key("key").try_lock().unwrap().into_async(),
            |locks| pollster::block_on(locks.key("key").lock_async()),
        ];
        for (shared, exclusive) in shared.into_iter().zip(exclusive) {
            let guard = shared(&locks);
            assert!(key().is_locked());
            assert!(is_busy(&key().try_lock()));
            assert!(key().shared().try_lock().is_ok());
            assert!(ByHand::new(key().lock_async()).poll().is_pending());
            drop(guard);
            let guard = exclusive(&locks);
            assert!(is_busy(&key().shared().try_lock()));
            assert!(ByHand::new(key().shared().lock_async()).poll().is_pending());
            drop(guard);
            assert!(!key().is_locked());
        }
    });
}

/// Whichever of them goes first: the holders of a lock stand in different places.
#[test]
fn exclusive_waits_for_every_shared_holder() {
    in_time(|| {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let locks = Locks::new("every shared holder");
            let mut guards = [(); 3].map(|()| Some(locks.key("key").shared().lock()));
            let mut waiter = queue(&locks, [false]).remove(0);
            for (left, index) in (0..3).rev().zip(order) {
                assert_eq!(waiter.woken(), 0);
                assert!(waiter.poll().is_pending());
                assert!(is_busy(&locks.key("key").try_lock()));
                assert_eq!(states(&locks)[0].holders.len(), left + 1);
                drop(guards[index].take());
            }
            assert_eq!(waiter.woken(), 1);
            assert!(waiter.poll().is_ready());
        }
    });
}

/// Else a stream of shared holders could keep an exclusive one out for ever.
#[test]
fn shared_newcomer_waits_behind_a_queued_exclusive() {
    in_time(|| {
        let locks = Locks::new("shared newcomer");
        let guard = locks.key("key").shared().lock();
        let mut exclusive = queue(&locks, [false]).remove(0);
        assert!(is_busy(&locks.key("key").shared().try_lock()));
        let mut newcomer = queue(&locks, [true]).remove(0);
        assert!(newcomer.poll().is_pending(), "also at another try");
        drop(guard);
        assert_eq!((exclusive.woken(), newcomer.woken()), (1, 0));
        let guard = taken(&mut exclusive);
        assert!(newcomer.poll().is_pending());
        drop(guard);
        assert_eq!(newcomer.woken(), 1);
        assert!(newcomer.poll().is_ready());
    });
}

#[test]
fn exclusive_waiter_that_leaves_lets_shared_ones_join() {
    in_time(|| {
        let locks = Locks::new("joined");
        let _guard = locks.key("key").shared().lock();
        let mut waiters = queue(&locks, [false, true, true, false, true]);
        drop(waiters.remove(0));
        let mut guards = Vec::new();
        for joining in &mut waiters[..2] {
            assert_eq!(joining.woken(), 1);
            guards.push(taken(joining));
        }
        // The next is exclusive, and the last is behind it.
        assert!(waiters[2..].iter_mut().all(|waiter| {
            let woken = waiter.woken();
            waiter.poll().is_pending() && woken == 0
        }));
        drop(waiters.remove(2));
        assert_eq!(waiters[2].woken(), 1);
        guards.push(taken(&mut waiters[2]));
        assert_eq!(states(&locks)[0].holders.len(), 4);
    });
}

/// An exclusive holder goes, and all the shared waiters up to the next exclusive one
/// come in; whether they are handed the lock or woken one by the other.
#[test]
fn queued_shared_holders_come_in_together() {
    in_time(|| {
        for patience in [true, false] {
            let locks = Locks::new("come in together");
            let guard = locks.key("key").lock();
            let mut waiters = queue(&locks, [true, true, true, false, true]);
            if patience {
                outlast_patience();
            }
            drop(guard);
            let guards: Vec<_> = waiters[..3]
                .iter_mut()
                .map(|waiter| {
                    assert_eq!(waiter.woken(), 1);
                    taken(waiter)
                })
                .collect();
            assert_eq!(waiters[3].woken() + waiters[4].woken(), 0);
            assert_eq!(states(&locks)[0].holders.len(), 3);
            drop(guards);
            assert_eq!((waiters[3].woken(), waiters[4].woken()), (1, 0));
            drop(taken(&mut waiters[3]));
            assert_eq!(waiters[4].woken(), 1);
            drop(taken(&mut waiters[4]));
            assert!(states(&locks).is_empty());
        }
    });
}

#[test]
fn shared_hold_is_released_on_another_thread() {
    in_time(|| {
        let locks = Locks::new("shared sent");
        let stays = locks.key("key").shared().lock();
        let sent = pollster::block_on(locks.key("key").shared().lock_async());
        thread::spawn(move || drop(sent)).join().unwrap();
        assert_eq!(states(&locks)[0].holders.len(), 1);
        drop(stays);
        assert!(locks.key("key").try_lock().is_ok());
    });
}

#[test]
fn thousand_shared_holders_leave_nothing_behind() {
    in_time(|| {
        let locks = Locks::new("thousand shared");
        let mut guards: Vec<_> = (0..1000)
            .map(|_| locks.key("key").shared().lock())
            .collect();
        assert_eq!(states(&locks)[0].holders.len(), 1000);
        while !guards.is_empty() {
            assert!(is_busy(&locks.key("key").try_lock()));
            drop(guards.swap_remove(guards.len() / 2));
        }
        assert!(states(&locks).is_empty());
    });
}

#[test]
fn error_and_snapshot_name_a_shared_holder() {
    in_time(|| {
        let locks = Locks::new("named");
        let (_guard, line) = (locks.key("key").shared().lock(), line!());
        let error = locks.key("key").try_lock().unwrap_err();
        assert_eq!(
            error.holder().unwrap().site().unwrap().location().line(),
            line
        );
        let holders = &states(&locks)[0].holders;
        assert_eq!(holders[0].site().unwrap().location().line(), line);
    });
}

/// Threads and tasks that come shared and exclusive as it falls.
#[test]
fn stays_overlap_only_where_both_are_shared() {
    const ROUNDS: usize = 100;
    const EACH: usize = 4;
    in_time(|| {
        let shared = Arc::new((Locks::new("by kind"), Recorder::new()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let tasks: Vec<_> = (0..EACH)
            .map(|task| {
                let shared = Arc::clone(&shared);
                runtime.spawn(async move {
                    let (locks, recorder) = &*shared;
                    for round in 0..ROUNDS {
                        if (round + task) % 3 == 0 {
                            let _guard = locks.key("key").lock_async().await;
                            let _stay = recorder.enter();
                            yield_now().await;
                        } else {
                            let _guard = locks.key("key").shared().lock_async().await;
                            let _stay = recorder.enter_shared();
                            yield_now().await;
                        }
                    }
                })
            })
            .collect();
        let (locks, recorder) = &*shared;
        thread::scope(|scope| {
            for thread in 0..EACH {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        if (round + thread) % 3 == 0 {
                            let _guard = locks.key("key").lock();
                            let _stay = recorder.enter();
                            thread::yield_now();
                        } else {
                            let _guard = locks.key("key").shared().lock();
                            let _stay = recorder.enter_shared();
                            thread::yield_now();
                        }
                    }
                });
            }
        });
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        recorder.assert_exclusive(2 * EACH * ROUNDS);
        assert!(states(locks).is_empty());
    });
}

/// Two threads pass a shared hold on to each other, so that without a waiter the lock
/// is never free. Once a third has waited for a millisecond to have it exclusively, it
/// comes next. That is counted, not timed, so it holds on any machine.
#[test]
fn stream_of_shared_holders_starves_no_exclusive_waiter() {
    const WAITS: usize = 50;
    const STREAM: usize = 2;
    in_time(|| {
        let locks = Locks::new("stream");
        // How many turns the exclusive one has had, and must have had by now.
        let (turns, due) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (inside, waited_through) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let is_over = || waited_through.load(Ordering::SeqCst) >= WAITS;
        let stream = || {
            while !is_over() {
                let due_before = due.load(Ordering::SeqCst);
                let _guard = locks.key("key").shared().lock();
                let had = turns.load(Ordering::SeqCst);
                assert!(had >= due_before, "overtook the exclusive waiter");
                inside.fetch_add(1, Ordering::SeqCst);
                eventually("somebody comes in or waits", || {
                    let inside = inside.load(Ordering::SeqCst);
                    // All who are not inside wait, and so does the exclusive one.
                    if waiting(&locks) == STREAM + 1 - inside {
                        outlast_patience();
                        waited_through.fetch_add(1, Ordering::SeqCst);
                        due.fetch_max(had + 1, Ordering::SeqCst);
                        return true;
                    }
                    inside == STREAM || is_over()
                });
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        };
        thread::scope(|scope| {
            for _ in 0..STREAM {
                scope.spawn(stream);
            }
            while !is_over() {
                let _guard = locks.key("key").lock();
                turns.fetch_add(1, Ordering::SeqCst);
            }
        });
    });
}

/// `test_writer_abort`, `test_reader_abort`, `test_double_reader_abort`: a panic in a
/// hold of either kind releases it, one of two shared ones alone.
#[test]
fn panic_inside_releases_that_hold_only() {
    in_time(|| {
        let locks = Locks::new("abort");
        let panic_inside = |shared| {
            let caught = panic::catch_unwind(AssertUnwindSafe(|| {
                let handle = locks.key("key");
                let _guard = if shared {
                    handle.shared().lock()
                } else {
                    handle.lock()
                };
                panic!("inside");
            }));
            assert!(caught.is_err());
        };
        for shared in [false, true] {
            panic_inside(shared);
            assert!(!locks.key("key").is_locked());
        }
        let outer = locks.key("key").shared().lock();
        panic_inside(true);
        assert_eq!(states(&locks)[0].holders.len(), 1);
        drop(outer);
        assert!(!locks.key("key").is_locked());
    });
}

/// `test_reader_chaotic`, `test_writer_chaotic`: half of one kind panic inside, and
/// all of the other kind run.
#[test]
fn half_of_either_kind_panic_and_the_others_run() {
    in_time(|| {
        for shared_panic in [true, false] {
            let locks = Locks::new("chaos by kind");
            let recorder = Recorder::new();
            let panicked: usize = thread::scope(|scope| {
                let threads: Vec<_> = (0..20)
                    .map(|number| {
                        let (locks, recorder) = (&locks, &recorder);
                        scope.spawn(move || {
                            let shared = number % 2 == 0;
                            let handle = locks.key("key");
                            let (_guard, _stay) = if shared {
                                (handle.shared().lock(), recorder.enter_shared())
                            } else {
                                (handle.lock(), recorder.enter())
                            };
                            assert!(shared != shared_panic || number % 4 > 1, "chaos");
                        })
                    })
                    .collect();
                let ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
                ended.filter(Result::is_err).count()
            });
            assert_eq!(panicked, 5);
            recorder.assert_exclusive(20);
            assert!(!locks.key("key").is_locked());
        }
    });
}

/// `test_multi_reader_multi_writer`, `.._single_writer`, `test_multi_writer`: visits
/// of as many readers and writers as the originals have.
#[test]
fn readers_and_writers_in_any_number_visit_in_order() {
    in_time(|| {
        for (readers, writers) in [(10, 10), (9, 1), (0, 10)] {
            let locks = Locks::new("visits");
            let recorder = Recorder::new();
            thread::scope(|scope| {
                for _ in 0..readers {
                    scope.spawn(|| {
                        let _guard = locks.key("key").shared().lock();
                        let _stay = recorder.enter_shared();
                        thread::yield_now();
                    });
                }
                for _ in 0..writers {
                    scope.spawn(|| {
                        let _guard = locks.key("key").lock();
                        let _stay = recorder.enter();
                        thread::yield_now();
                    });
                }
            });
            recorder.assert_exclusive(readers + writers);
        }
    });
}

//! A thread that holds a key goes straight in, where it asks for that.

use crate::fairness::outlast_patience;
use lockutils::{ErrorKind, Guard, Locks};
use lockutils_tests::{ByHand, Recorder, eventually, in_time, states, waiters};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

/// The ways in that don't wait for others.
const WAYS: [fn(&Locks) -> Guard; 4] = [
    |locks| locks.key("key").reentrant().lock(),
    |locks| locks.key("key").reentrant().try_lock().unwrap(),
    |locks| {
        let handle = locks.key("key").reentrant();
        handle.lock_timeout(Duration::ZERO).unwrap()
    },
    |locks| {
        let handle = locks.key("key").reentrant();
        handle.lock_timeout(Duration::MAX).unwrap()
    },
];

/// Whether another thread could take the lock, exclusively.
fn is_free(locks: &Locks) -> bool {
    thread::scope(|scope| {
        let other = scope.spawn(|| locks.key("key").reentrant().try_lock().is_ok());
        other.join().unwrap()
    })
}

/// Whether another thread could take the lock, shared.
fn is_free_to_share(locks: &Locks) -> bool {
    thread::scope(|scope| {
        let other = scope.spawn(|| locks.key("key").shared().reentrant().try_lock().is_ok());
        other.join().unwrap()
    })
}

#[test]
fn holder_goes_straight_in() {
    in_time(|| {
        for way in WAYS {
            let locks = Locks::new("straight in");
            let guards: Vec<_> = (0..100).map(|_| way(&locks)).collect();
            assert!(!is_free(&locks));
            drop(guards);
            assert!(is_free(&locks));
            assert!(states(&locks).is_empty());
        }
    });
}

/// It is the new hold that is reentrant; how the thread came in before is no matter.
#[test]
fn holder_goes_in_though_its_first_hold_was_not_reentrant() {
    in_time(|| {
        for way in WAYS {
            let locks = Locks::new("first not reentrant");
            let _outer = locks.key("key").lock();
            assert_eq!(
                locks.key("key").try_lock().unwrap_err().kind(),
                ErrorKind::Busy
            );
            drop(way(&locks));
            assert!(!is_free(&locks));
        }
    });
}

#[test]
fn one_of_several_keys_stays_held_by_who_has_gone_in_again() {
    in_time(|| {
        for way in WAYS {
            let locks = Locks::new("one of several");
            let several = locks.keys(["another", "key"]).lock();
            let again = way(&locks);
            drop(several);
            assert!(!is_free(&locks));
            assert!(!locks.key("another").is_locked());
            drop(again);
            assert!(is_free(&locks));
        }
    });
}

#[test]
fn lock_is_free_when_the_last_guard_goes_whatever_the_order() {
    in_time(|| {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let locks = Locks::new("last guard");
            let mut guards = [0, 1, 2].map(|way| Some(WAYS[way](&locks)));
            for index in order {
                assert!(!is_free(&locks));
                assert!(!is_free_to_share(&locks));
                drop(guards[index].take());
            }
            assert!(is_free(&locks));
        }
    });
}

#[test]
fn another_thread_waits_for_the_last_guard() {
    in_time(|| {
        let locks = Locks::new("another thread");
        let recorder = Recorder::new();
        let outer = locks.key("key").reentrant().lock();
        let inner = locks.key("key").reentrant().lock();
        let stay = recorder.enter();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = locks.key("key").reentrant().lock();
                let _stay = recorder.enter();
            });
            eventually("the other waits", || waiters(&locks) == 1);
            outlast_patience();
            drop(outer);
            assert_eq!(waiters(&locks), 1, "the inner hold keeps it out");
            drop(stay);
            drop(inner);
        });
        recorder.assert_exclusive(2);
    });
}

/// Else it would wait for those who wait for it.
#[test]
fn holder_goes_in_past_those_who_wait() {
    in_time(|| {
        for locks in [Locks::new("past"), Locks::new("past").fair()] {
            for way in WAYS {
                let outer = locks.key("key").lock();
                let mut waiter = ByHand::new(locks.key("key").lock_async());
                assert!(waiter.poll().is_pending());
                outlast_patience();
                let inner = way(&locks);
                drop(outer);
                assert_eq!(waiter.woken(), 0);
                drop(inner);
                assert_eq!(waiter.woken(), 1);
                assert!(waiter.poll().is_ready());
            }
        }
    });
}

/// Two threads hold the key shared and ask for it exclusively: each would wait for the
/// other, for ever.
#[test]
fn shared_holder_does_not_go_in_exclusively() {
    in_time(|| {
        let locks = Locks::new("no upgrade");
        let outer = locks.key("key").shared().lock();
        let handle = locks.key("key").reentrant();
        assert_eq!(handle.try_lock().unwrap_err().kind(), ErrorKind::Busy);
        assert!(handle.lock_timeout(Duration::ZERO).is_err());
        drop(outer);
        assert!(handle.try_lock().is_ok());
    });
}

/// Both guards keep others out, also those who would share, until the last is gone.
#[test]
fn exclusive_holder_goes_in_shared_and_stays_alone() {
    in_time(|| {
        for outer_first in [true, false] {
            let locks = Locks::new("downgrade");
            let outer = locks.key("key").lock();
            let inner = locks.key("key").shared().reentrant().lock();
            let (first, last) = if outer_first {
                (outer, inner)
            } else {
                (inner, outer)
            };
            assert!(!is_free_to_share(&locks));
            drop(first);
            assert!(!is_free_to_share(&locks));
            drop(last);
            assert!(is_free(&locks));
        }
    });
}

#[test]
fn shared_holder_goes_in_shared_past_an_exclusive_waiter() {
    in_time(|| {
        let locks = Locks::new("shared again");
        let outer = locks.key("key").shared().lock();
        let mut writer = ByHand::new(locks.key("key").lock_async());
        assert!(writer.poll().is_pending());
        assert!(locks.key("key").shared().try_lock().is_err());
        let inner = locks.key("key").shared().reentrant().lock();
        assert!(!is_free_to_share(&locks), "others wait behind the writer");
        drop(outer);
        assert_eq!(writer.woken(), 0);
        drop(inner);
        assert_eq!(writer.woken(), 1);
        assert!(writer.poll().is_ready());
    });
}

/// One of several shared holders is told from the others by its thread.
#[test]
fn only_a_holder_goes_in_shared_past_an_exclusive_waiter() {
    in_time(|| {
        let locks = Locks::new("several share");
        let _ours = locks.key("key").shared().lock();
        let (held, go_on) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _theirs = locks.key("key").shared().lock();
                held.wait();
                go_on.wait();
                drop(locks.key("key").shared().reentrant().lock());
            });
            held.wait();
            let mut writer = ByHand::new(locks.key("key").lock_async());
            assert!(writer.poll().is_pending());
            drop(locks.key("key").shared().reentrant().lock());
            assert!(!is_free_to_share(&locks));
            go_on.wait();
        });
    });
}

/// A task of the thread is not the thread.
#[test]
fn hold_of_a_task_lets_its_thread_not_in() {
    in_time(|| {
        let locks = Locks::new("task and thread");
        let _guard = pollster::block_on(locks.key("key").lock_async());
        let handle = locks.key("key").reentrant();
        assert_eq!(handle.try_lock().unwrap_err().kind(), ErrorKind::Busy);
    });
}

/// A guard that may be released anywhere is no longer this thread's: who has it would
/// not be alone.
#[test]
fn thread_does_not_go_in_after_it_made_its_guard_async() {
    in_time(|| {
        let locks = Locks::new("made async");
        let guard = locks.key("key").lock().into_async();
        let handle = locks.key("key").reentrant();
        assert_eq!(handle.try_lock().unwrap_err().kind(), ErrorKind::Busy);
        let kept = locks.key("other").reentrant().lock();
        let sent = locks.key("other").reentrant().lock().into_async();
        drop(locks.key("other").reentrant().lock());
        drop(kept);
        assert!(locks.key("other").reentrant().try_lock().is_err());
        drop((guard, sent));
        assert!(is_free(&locks));
    });
}

/// In a space with permits, who has one goes in though all are taken.
#[test]
fn holder_of_a_permit_goes_in_though_none_is_left() {
    in_time(|| {
        let locks = Locks::new("no permit left").permits(2);
        for shared in [true, false] {
            let handle = || {
                let handle = locks.key("key");
                if shared { handle.shared() } else { handle }
            };
            let _other = pollster::block_on(locks.key("key").lock_async());
            let outer = handle().lock();
            assert!(!is_free(&locks));
            let inner = handle().reentrant().try_lock().unwrap();
            drop(outer);
            assert!(!is_free(&locks));
            drop(inner);
            assert!(is_free(&locks));
        }
    });
}

#[test]
fn panic_in_the_inner_hold_keeps_the_outer() {
    in_time(|| {
        let locks = Locks::new("inner panics");
        let outer = locks.key("key").reentrant().lock();
        let inner = panic::catch_unwind(AssertUnwindSafe(|| {
            let _inner = locks.key("key").reentrant().lock();
            panic!("inside the inner hold");
        }));
        assert!(inner.is_err());
        assert!(!is_free(&locks));
        drop(outer);
        assert!(is_free(&locks));
    });
}

/// `fasteners`: `test_writer_reader_writer`, `test_single_reader_writer`,
/// `test_reader_to_writer`, `test_writer_to_reader`, `test_double_writer`,
/// `test_double_reader`.
#[test]
fn reentrancy_is_as_with_readers_and_writers() {
    in_time(|| {
        let locks = Locks::new("matrix");
        let write = || locks.key("key").reentrant().try_lock().ok();
        let read = || locks.key("key").shared().reentrant().try_lock().ok();
        // From which hold one may go into which.
        for (outer, inner, goes_in) in [
            ("write", "write", true),
            ("write", "read", true),
            ("read", "read", true),
            ("read", "write", false),
        ] {
            let hold = |kind| if kind == "write" { write() } else { read() };
            let _outer = hold(outer).unwrap();
            assert_eq!(hold(inner).is_some(), goes_in, "{outer} to {inner}");
            assert!(!is_free(&locks));
        }
        {
            let (_write, _read) = (write().unwrap(), read().unwrap());
            assert!(write().is_some(), "write, read, write");
        }
        assert!(is_free(&locks));
    });
}

/// `fasteners`: `test_deadlock_reproducer`. One thread writes and reads inside, the
/// other writes.
#[test]
fn writer_that_reads_inside_and_another_writer_come_to_an_end() {
    in_time(|| {
        let locks = Locks::new("reproducer");
        let recorder = Recorder::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let _write = locks.key("key").reentrant().lock();
                    let _stay = recorder.enter();
                    drop(locks.key("key").shared().reentrant().lock());
                }
            });
            for _ in 0..1000 {
                let _write = locks.key("key").reentrant().lock();
                let _stay = recorder.enter();
            }
        });
        recorder.assert_exclusive(2000);
    });
}

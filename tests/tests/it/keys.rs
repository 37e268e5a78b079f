//! Several keys of a space, taken together.
//!
//! Among them are Nova's tests of its `FairLockGuard`, and that of a list of locks from
//! `fasteners`.

mod any;

use crate::fairness::outlast_patience;
use lockutils::{AsyncGuard, ErrorKind, Locks};
use lockutils_tests::{ByHand, Recorder, eventually, in_time, states, waiters};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// So long that it is never over in a test that passes.
const LONG: Duration = Duration::from_secs(3600);

const SHORT: Duration = Duration::from_millis(5);

/// The keys that are held, in the order of their text.
fn held(locks: &Locks) -> Vec<String> {
    let held = states(locks)
        .into_iter()
        .filter(|lock| !lock.holders.is_empty());
    held.map(|lock| lock.key.to_string()).collect()
}

/// A hold that is no thread's, so that waiting for it is no deadlock.
fn hold(locks: &Locks, key: &str) -> AsyncGuard {
    locks.key(key).lock().into_async()
}

/// All the ways to take several keys that are free.
const WAYS: [fn(&Locks, &[&str]) -> AsyncGuard; 5] = [
    |locks, keys| locks.keys(keys).lock().into_async(),
    |locks, keys| locks.keys(keys).try_lock().unwrap().into_async(),
    |locks, keys| {
        let timed = locks.keys(keys).lock_timeout(Duration::ZERO);
        timed.unwrap().into_async()
    },
    |locks, keys| pollster::block_on(locks.keys(keys).lock_async()),
    |locks, keys| pollster::block_on(locks.keys(keys).lock_timeout_async(LONG)).unwrap(),
];

#[test]
fn all_keys_are_held_and_no_other() {
    in_time(|| {
        let locks = Locks::new("all keys");
        for way in WAYS {
            let guard = way(&locks, &["c", "a", "b"]);
            assert_eq!(held(&locks), ["a", "b", "c"]);
            assert!(locks.key("b").try_lock().is_err());
            assert!(locks.key("d").try_lock().is_ok());
            drop(guard);
            assert!(states(&locks).is_empty());
        }
    });
}

/// Nova: one lock; `fasteners`: `test_many_locked`, ten of them.
#[test]
fn any_number_of_keys_is_held() {
    in_time(|| {
        let locks = Locks::new("any number");
        for number in [1, 10, 5000] {
            let guard = locks.keys(0..number).lock();
            assert_eq!(held(&locks).len(), number);
            drop(guard);
            assert!(states(&locks).is_empty());
        }
    });
}

/// Else it would wait for itself.
#[test]
fn key_that_is_there_twice_is_taken_once() {
    in_time(|| {
        let locks = Locks::new("twice");
        for way in WAYS {
            let guard = way(&locks, &["b", "a", "b", "b"]);
            assert_eq!(held(&locks), ["a", "b"]);
            drop(guard);
            assert!(states(&locks).is_empty());
        }
        // Equal is what has the same text.
        let as_text = ["7".to_owned(), 7.to_string(), "07".to_owned()];
        let guard = locks.keys(&as_text).lock();
        assert_eq!(held(&locks), ["07", "7"]);
        drop(guard);
    });
}

#[test]
fn keys_are_taken_from_all_that_a_loop_takes() {
    in_time(|| {
        let locks = Locks::new("a loop");
        let ids = vec![3, 1, 2];
        drop(locks.keys(&ids).lock());
        drop(locks.keys(ids.iter().map(|id| ("vm", id))).lock());
        drop(locks.keys(Some("one")).lock());
        let handle = locks.keys(ids);
        for _ in 0..2 {
            let guard = handle.lock();
            assert_eq!(held(&locks), ["1", "2", "3"]);
            drop(guard);
        }
    });
}

/// That of the keys' text, whatever the order and the type in the list: with numbers, 10
/// comes before 9.
#[test]
fn keys_are_taken_in_the_order_of_their_text() {
    in_time(|| {
        let locks = Locks::new("order");
        for list in [[9, 10, 8], [10, 9, 8], [8, 9, 10], [8, 10, 9]] {
            // Of those who wait for one, the ones before it are held.
            for (busy, before) in [("10", vec![]), ("8", vec!["10"]), ("9", vec!["10", "8"])] {
                let guard = hold(&locks, busy);
                let mut wait = ByHand::new(locks.keys(list).lock_async());
                assert!(wait.poll().is_pending());
                let taken = held(&locks).into_iter().filter(|key| key != busy);
                assert_eq!(taken.collect::<Vec<_>>(), before);
                drop(guard);
                let _guard = wait.finish();
                assert_eq!(held(&locks), ["10", "8", "9"]);
            }
        }
        assert!(states(&locks).is_empty());
    });
}

/// Logs the key of the waiter that is woken.
struct Logged(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Wake for Logged {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// So does a wait that is given up half-way.
#[test]
fn keys_are_released_in_reverse() {
    in_time(|| {
        let locks = Locks::new("reverse");
        let log = Arc::default();
        let wait_for_each = || {
            ["b", "c", "a"].map(|key| {
                let waker = Waker::from(Arc::new(Logged(key, Arc::clone(&log))));
                let mut wait = Box::pin(locks.key(key).lock_async());
                let polled = wait.as_mut().poll(&mut Context::from_waker(&waker));
                assert!(polled.is_pending());
                wait
            })
        };
        let woken = || std::mem::take(&mut *log.lock().unwrap());

        let guard = locks.keys(["a", "b", "c"]).lock();
        let waits = wait_for_each();
        drop(guard);
        assert_eq!(woken(), ["c", "b", "a"]);
        drop(waits);

        let last = hold(&locks, "d");
        let mut half_way = ByHand::new(locks.keys(["a", "b", "c", "d"]).lock_async());
        assert!(half_way.poll().is_pending());
        let waits = wait_for_each();
        drop(half_way);
        assert_eq!(woken(), ["c", "b", "a"]);
        drop((waits, last));
        assert!(states(&locks).is_empty());
    });
}

#[test]
fn try_takes_all_or_none() {
    in_time(|| {
        let locks = Locks::new("try");
        for busy in ["a", "b", "c"] {
            let guard = hold(&locks, busy);
            let error = locks.keys(["c", "b", "a"]).try_lock().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Busy);
            assert_eq!(error.key(), Some(busy));
            assert_eq!(held(&locks), [busy]);
            drop(guard);
        }
        assert!(locks.keys(["c", "b", "a"]).try_lock().is_ok());
    });
}

/// By a thread, and by a task whose future is kept.
#[test]
fn timeout_takes_all_or_none() {
    in_time(|| {
        let locks = Locks::new("timeout of keys");
        for (busy, timeout) in [
            ("a", SHORT),
            ("b", SHORT),
            ("c", SHORT),
            ("b", Duration::ZERO),
        ] {
            let guard = hold(&locks, busy);
            let keys = locks.keys(["c", "b", "a"]);
            let error = keys.lock_timeout(timeout).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
            assert_eq!(error.key(), Some(busy));
            assert!(error.waited() >= timeout);
            assert_eq!(held(&locks), [busy]);

            let mut wait = Box::pin(keys.lock_timeout_async(timeout));
            let error = pollster::block_on(&mut wait).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
            assert_eq!(error.key(), Some(busy));
            assert_eq!((held(&locks), waiters(&locks)), (vec![busy.to_owned()], 0));
            drop((wait, guard));
        }
        assert!(states(&locks).is_empty());
    });
}

/// The second key is waited for with what the first one has left of the time. It is the
/// least time of some tries that counts: with a timeout for each key none could be as
/// short.
#[test]
fn one_deadline_is_for_all_keys() {
    in_time(|| {
        let locks = Locks::new("one deadline");
        // Waits for `a` through most of the time, and then for `b`.
        let one_deadline = |timeout, wait: &(dyn Fn(Duration) -> lockutils::Error + Sync)| {
            let (a, b) = (hold(&locks, "a"), hold(&locks, "b"));
            let start = Instant::now();
            let took = thread::scope(|scope| {
                let waiter = scope.spawn(|| {
                    let error = wait(timeout);
                    (error.key() == Some("b")).then(|| start.elapsed())
                });
                eventually("most of the time is over", || {
                    start.elapsed() > timeout * 3 / 4 && waiters(&locks) == 1
                        || waiter.is_finished()
                });
                drop(a);
                waiter.join().unwrap()
            });
            drop(b);
            took.is_some_and(|took| took < timeout * 3 / 2)
        };
        // Where the machine lets the time run out before, another try has more.
        let in_some_time = |wait: &(dyn Fn(Duration) -> lockutils::Error + Sync)| {
            let mut timeout = Duration::from_millis(20);
            eventually("there is one deadline", || {
                timeout *= 2;
                one_deadline(timeout, wait)
            });
        };
        let keys = || locks.keys(["a", "b"]);
        in_some_time(&|timeout| keys().lock_timeout(timeout).unwrap_err());
        in_some_time(&|timeout| {
            pollster::block_on(keys().lock_timeout_async(timeout)).unwrap_err()
        });
    });
}

#[test]
fn empty_list_holds_nothing_and_succeeds() {
    in_time(|| {
        let locks = Locks::new("empty list");
        let none = || locks.keys::<[&str; 0]>([]);
        // The empty text is a key, which is another thing.
        let _other = hold(&locks, "");
        for handle in [none(), none().shared()] {
            let guards = (
                handle.lock(),
                handle.lock(),
                handle.try_lock().unwrap(),
                handle.lock_timeout(Duration::ZERO).unwrap(),
                handle.lock_timeout(Duration::MAX).unwrap(),
            );
            let Poll::Ready(guard) = ByHand::new(handle.lock_async()).poll() else {
                panic!("there is nothing to wait for");
            };
            let timed = handle.lock_timeout_async(Duration::ZERO);
            let Poll::Ready(Ok(timed)) = ByHand::new(timed).poll() else {
                panic!("there is nothing to wait for");
            };
            assert_eq!(held(&locks), [""]);
            drop((guards, guard, timed));
            assert_eq!(held(&locks), [""]);
        }
        let _sent = none().lock().into_async();
    });
}

#[test]
fn keys_and_a_single_one_exclude_each_other() {
    in_time(|| {
        let locks = Locks::new("single");
        let guard = locks.keys(["a", "b"]).lock();
        assert!(locks.key("b").try_lock().is_err());
        let mut single = ByHand::new(locks.key("b").lock_async());
        assert!(single.poll().is_pending());
        drop(guard);
        let guard = single.finish();
        assert!(locks.keys(["a", "b"]).try_lock().is_err());
        drop(guard);
        assert!(locks.keys(["a", "b"]).try_lock().is_ok());
    });
}

#[test]
fn shared_holds_of_several_keys() {
    in_time(|| {
        let locks = Locks::new("shared keys");
        let readers = [(); 2].map(|()| locks.keys(["a", "b"]).shared().lock());
        assert!(locks.key("a").shared().try_lock().is_ok());
        let error = locks.keys(["b", "c"]).try_lock().unwrap_err();
        assert_eq!(error.key(), Some("b"));
        let mut writer = ByHand::new(locks.keys(["b", "c"]).lock_async());
        assert!(writer.poll().is_pending());
        assert!(locks.keys(["a", "b"]).shared().try_lock().is_err());
        drop(readers);
        drop(writer.finish());
    });
}

#[test]
fn each_key_of_a_counted_space_takes_one_permit() {
    in_time(|| {
        let locks = Locks::new("counted keys").permits(2);
        let guards = [(); 2].map(|()| locks.keys(["a", "b", "a"]).try_lock().unwrap());
        assert!(locks.keys(["b", "c"]).try_lock().is_err());
        drop(guards);
        assert!(states(&locks).is_empty());
    });
}

#[test]
fn guard_of_several_keys_is_released_on_another_thread() {
    in_time(|| {
        let locks = Locks::new("sent keys");
        let guard = locks.keys(["a", "b"]).lock().into_async();
        thread::spawn(move || drop(guard)).join().unwrap();
        assert!(states(&locks).is_empty());
    });
}

#[test]
fn cancelled_wait_releases_the_keys_that_it_has() {
    in_time(|| {
        let locks = Locks::new("cancelled");
        let guard = hold(&locks, "b");
        for timeout in [None, Some(LONG)] {
            let keys = locks.keys(["a", "b", "c"]);
            let future: std::pin::Pin<Box<dyn Future<Output = AsyncGuard>>> = match timeout {
                None => Box::pin(keys.lock_async()),
                Some(timeout) => {
                    let wait = keys.lock_timeout_async(timeout);
                    Box::pin(async { wait.await.unwrap() })
                }
            };
            let mut wait = ByHand::new(future);
            assert_eq!(
                held(&locks),
                ["b"],
                "nothing is taken before the first poll"
            );
            assert!(wait.poll().is_pending());
            assert_eq!(held(&locks), ["a", "b"]);
            let mut behind = ByHand::new(locks.key("a").lock_async());
            assert!(behind.poll().is_pending());
            drop(wait);
            drop(behind.finish());
            assert_eq!((held(&locks), waiters(&locks)), (vec!["b".to_owned()], 0));
        }
        drop(guard);
        assert!(states(&locks).is_empty());
    });
}

/// The key was already handed to it.
#[test]
fn cancelled_wait_passes_on_the_key_that_it_was_handed() {
    in_time(|| {
        let locks = Locks::new("cancelled late");
        let guard = hold(&locks, "b");
        let mut wait = ByHand::new(locks.keys(["a", "b", "c"]).lock_async());
        let mut behind = ByHand::new(locks.keys(["b", "c"]).lock_async());
        assert!(wait.poll().is_pending());
        assert!(behind.poll().is_pending());
        outlast_patience();
        drop(guard);
        assert_eq!((wait.woken(), behind.woken()), (1, 0));
        drop(wait);
        assert_eq!(behind.woken(), 1);
        let Poll::Ready(guard) = behind.poll() else {
            panic!("it is its turn");
        };
        assert_eq!(held(&locks), ["b", "c"]);
        drop(guard);
        assert!(states(&locks).is_empty());
    });
}

/// One wake-up, one step: each key in turn is waited for.
#[test]
fn wait_goes_on_from_key_to_key() {
    in_time(|| {
        let locks = Locks::new("key to key");
        let guards = ["c", "b", "a"].map(|key| hold(&locks, key));
        let mut wait = ByHand::new(locks.keys(["a", "b", "c"]).lock_async());
        assert!(wait.poll().is_pending());
        for guard in guards.into_iter().rev() {
            assert!(wait.poll().is_pending());
            drop(guard);
            assert_eq!(wait.woken(), 1);
        }
        assert!(wait.poll().is_ready());
    });
}

/// Nova: those who want a part of what another has wait for it, and so does who wants
/// more; who wants none of it doesn't.
#[test]
fn subset_waits_for_the_holder_of_the_superset() {
    in_time(|| {
        let locks = Locks::new("subset");
        let waits = |keys: &[&str]| {
            ByHand::new(locks.keys(keys).lock_async())
                .poll()
                .is_pending()
        };
        let guard = locks.keys(["a", "b", "c"]).lock();
        assert!(waits(&["b"]) && waits(&["c", "a"]) && waits(&["d", "c"]));
        assert!(waits(&["d", "c", "b", "a"]));
        assert!(!waits(&["d", "e"]));
        drop(guard);
        let guard = locks.keys(["b"]).lock();
        assert!(waits(&["a", "b", "c"]));
        drop(guard);

        let recorder = Recorder::new();
        let (all_held, go_on) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = locks.keys(["a", "b", "c"]).lock();
                let _stay = recorder.enter();
                all_held.wait();
                go_on.wait();
                eventually("the subset waits", || waiters(&locks) == 1);
            });
            all_held.wait();
            go_on.wait();
            let _guard = locks.keys(["c", "b"]).lock();
            let _stay = recorder.enter();
        });
        recorder.assert_exclusive(2);
    });
}

/// Nova: nested, and with an exception in the inner one.
#[test]
fn panic_in_nested_keys_keeps_the_outer() {
    in_time(|| {
        let locks = Locks::new("nested keys");
        let outer = locks.keys(["a", "b"]).lock();
        let inner = panic::catch_unwind(AssertUnwindSafe(|| {
            let _inner = locks.keys(["d", "c"]).lock();
            let _innermost = locks.keys(["e"]).lock();
            assert_eq!(held(&locks), ["a", "b", "c", "d", "e"]);
            panic!("inside the inner keys");
        }));
        assert!(inner.is_err());
        assert_eq!(held(&locks), ["a", "b"]);
        drop(outer);
        assert!(states(&locks).is_empty());
    });
}

/// Nova: what was acquired before a failure is released.
#[test]
fn panic_in_the_list_holds_nothing() {
    in_time(|| {
        let locks = Locks::new("panic in the list");
        let list = ["a", "b"].into_iter();
        let list = list.inspect(|key| assert_ne!(*key, "b", "in the list"));
        let taken = panic::catch_unwind(AssertUnwindSafe(|| locks.keys(list).lock()));
        assert!(taken.is_err());
        assert!(states(&locks).is_empty());
    });
}

/// What two bank accounts are for: to and fro at once.
#[test]
fn opposite_orders_never_deadlock() {
    const ROUNDS: usize = 1000;
    in_time(|| {
        let locks = Locks::new("opposite");
        let recorder = Recorder::new();
        let both = |keys: [&str; 2]| {
            for _ in 0..ROUNDS {
                let _guard = locks.keys(keys).lock();
                let _stay = recorder.enter();
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| both(["a", "b"]));
            scope.spawn(|| both(["b", "a"]));
        });
        recorder.assert_exclusive(2 * ROUNDS);
    });
}

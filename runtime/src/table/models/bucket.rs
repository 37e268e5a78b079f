//! Models of the bucket, and of how a lock goes from it to an entry and back.
//!
//! | in the bucket | caught by |
//! |---|---|
//! | `try_take`: relaxed; load and store in two steps; taken in any case | `acquire_against_acquire` |
//! | `try_take`: `complete` relaxed | `snapshot_against_acquire` |
//! | `release`: relaxed | `acquire_against_acquire` |
//! | `release`: load and store in two steps | `release_against_enqueue` |
//! | `release`: `complete` not cleared; cleared after the word; relaxed when set again | `snapshot_against_acquire` |
//! | `release`: `complete` not set again | `release_against_enqueue` |
//! | `reserve`: relaxed | `acquire_and_release_against_inflation` |
//! | `reserve`: load and store in two steps; one entry too few, or too many; no count; no record read | `release_against_enqueue` |
//! | `reserve`: a record read where there is none | `one_key_after_another_in_a_bucket` |
//! | `unreserve`: relaxed | `deflate_against_acquire` |
//! | `unreserve`: `complete` not cleared | `acquire_and_release_against_inflation` |
//! | `unreserve`: `complete` cleared after the word | `deadlock_by_a_waiter` |
//! | `unreserve`: nothing taken off | `release_against_enqueue` |
//! | `unreserve`: free though other entries are there | `acquire_and_release_against_inflation` |
//! | `read`: relaxed; not waited for | `snapshot_against_acquire` |
//! | `release_last`: the text looked up after the release | `long_key_against_the_same` |
//! | `release_last`: the text freed though the release failed | `long_key_against_snapshot` |
//! | `read`: a long text taken for a short one | `long_key_against_snapshot` |
//! | `is_own`: any owner; `complete` not looked at | `reentry_after_an_earlier_hold` |
//! | `slot_for`: a shared hold gone into exclusively | `exclusive_reentry_against_shared` |
//!
//! | in the table | caught by |
//! |---|---|
//! | an entry found without its text; removed without its number; a hold's found without its ticket | `two_keys_in_one_bucket` |
//! | a thin hold's entry found without the bucket's tickets | `deadlock_of_one_who_cannot_fail` |
//! | an entry found without its space | `one_key_in_two_spaces` |
//! | queued without a look whether the lock is free; what a retry took lost | `acquire_against_acquire` |
//! | a new entry that reserves nothing | `two_keys_in_one_bucket` |
//! | a removed entry that keeps its reservation; `Inflated` dropped without `unreserve` | `acquire_against_acquire` |
//! | idle entries kept; busy ones removed | `acquire_against_acquire` |
//! | numbers used twice | `deadlock_against_shared_release` |
//! | a waiter's entry found without its number | `deadlock_against_deadlock` |
//! | a thin hold that becomes an entry without the bucket's tickets | `release_against_enqueue` |
//! | ... that is not fair | `newcomer_against_fair_hand_over` |
//! | ... that has one permit more | `permits_bound` |
//! | ... that has one, of several | `permits_are_all_given` |
//! | ... that is shared | `shared_against_exclusive` |
//! | ... that is exclusive, where it was shared | `shared_newcomers_get_in_together` |
//! | inflated before the mutex is locked | `acquire_against_acquire` |
//! | a waiter leaves by `release` | `cancel_against_hand_over` |
//! | an error for a waiter that has the lock by now | `timeout_against_hand_over` |
//! | of several, the first ones kept where one is busy | `few_of_which_one_is_busy` |
//! | of several, only the first let go | `few_against_snapshot` |
//! | a snapshot without inflation | `snapshot_against_acquire` |

use super::{FAIR, LOCKS, Protected, changer, model};
use crate::__private::{Function, site};
use crate::guard::Guard;
use crate::holder::Holder;
use crate::local::Locks;
use crate::snapshot::snapshot;
use crate::space::Space as _;
use crate::table::policy::Mode;
use loom::sync::atomic::AtomicU32;
use loom::thread;
use std::rc::Rc;
use std::sync::atomic::Ordering;

#[test]
fn acquire_against_acquire() {
    model(5, || {
        let protected = Protected::new();
        let other = changer(&LOCKS, "0", &protected);
        let guard = LOCKS.key("0").lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

/// A key that is too long for a bucket.
const LONG: &str = "0-----------------------------------------------------------------------";

#[test]
fn long_key_against_the_same() {
    model(5, || {
        let protected = Protected::new();
        let other = changer(&LOCKS, LONG, &protected);
        let guard = LOCKS.key(LONG).lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

/// Somebody makes an entry of a hold of which the text is on the heap, or finds the next one.
#[test]
fn long_key_against_snapshot() {
    model(4, || {
        let looks = thread::spawn(|| {
            let mut keys = snapshot().into_iter().map(|state| state.key.to_string());
            let key = keys.next();
            assert!(key.is_none_or(|key| key == LONG || key == "0"));
        });
        drop(LOCKS.key(LONG).lock());
        drop(LOCKS.key("0").lock());
        drop(LOCKS.key(LONG).shared().lock());
        looks.join().unwrap();
    });
}

/// A thread goes in again, and lets go what it held first, while somebody looks.
#[test]
fn reentry_against_snapshot() {
    model(3, || {
        let lines = Rc::new(AtomicU32::new(0));
        let looks = {
            let lines = Rc::clone(&lines);
            thread::spawn(move || {
                let before = lines.load(Ordering::Acquire);
                let lock = snapshot().into_iter().next();
                let after = lines.load(Ordering::Acquire);
                let holders = lock.map_or(0, |lock| {
                    let line = |holder: &Holder| holder.site().unwrap().location().line();
                    let lines: Vec<_> = lock.holders.iter().map(line).collect();
                    assert!(lines.is_sorted_by(|line, next| line < next), "{lines:?}");
                    lines.len()
                });
                let possible = |progress| [0, 1, 2, 3, 2, 1, 0][progress as usize];
                let mut between = (before..=(after + 1).min(6)).map(possible);
                assert!(between.any(|possible| possible == holders));
            })
        };
        let step = |progress| lines.store(progress, Ordering::Release);
        let key = LOCKS.key("0").reentrant();
        let outer = key.lock();
        step(1);
        let inner = key.lock();
        step(2);
        let innermost = key.try_lock().unwrap();
        step(3);
        drop(outer);
        step(4);
        drop(inner);
        step(5);
        drop(innermost);
        step(6);
        looks.join().unwrap();
    });
}

/// An earlier hold has become an entry, which somebody else has removed; then that one has the lock.
#[test]
fn reentry_after_an_earlier_hold() {
    model(4, || {
        let protected = Protected::new();
        let guard = LOCKS.key("0").lock();
        let other = {
            let protected = protected.clone();
            thread::spawn(move || {
                drop(LOCKS.key("0 too").try_lock());
                if let Ok(_guard) = LOCKS.key("0").try_lock() {
                    protected.change();
                }
            })
        };
        protected.change();
        drop(guard);
        if let Ok(_guard) = LOCKS.key("0").reentrant().try_lock() {
            protected.change();
        }
        other.join().unwrap();
    });
}

/// A key of the same hash, and the same key of another space, are other locks.
#[test]
fn reentry_of_others() {
    fn go_in(locks: &'static Locks, key: &'static str) {
        let outer = LOCKS.key("0").lock();
        let inner = locks.key(key).reentrant().lock();
        drop(outer);
        assert!(!LOCKS.key("0").is_locked());
        drop(inner);
    }
    model(2, || {
        go_in(&LOCKS, "0 too");
        go_in(&FAIR, "0");
    });
}

/// The thread goes in more often than there are places, and with another key of the same hash.
#[test]
fn reentry_beyond_the_places() {
    model(3, || {
        let protected = Protected::new();
        let outer = LOCKS.key("0").lock();
        let other = changer(&LOCKS, "0", &protected);
        let again = [(); 3].map(|()| LOCKS.key("0").reentrant().lock());
        let too = LOCKS.key("0 too").reentrant().lock();
        drop(outer);
        protected.change();
        drop(again);
        drop(too);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

#[test]
fn acquire_and_release_against_inflation() {
    model(5, || {
        let protected = Protected::new();
        let tries = {
            let protected = protected.clone();
            thread::spawn(move || {
                if let Ok(_guard) = LOCKS.key("0").try_lock() {
                    protected.change();
                }
            })
        };
        for _ in 0..2 {
            let _guard = LOCKS.key("0").lock();
            protected.change();
        }
        tries.join().unwrap();
    });
}

#[test]
fn release_against_enqueue() {
    model(5, || {
        let protected = Protected::new();
        let guard = LOCKS.key("0").lock();
        let waiter = changer(&LOCKS, "0", &protected);
        protected.change();
        drop(guard);
        waiter.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

#[test]
fn deflate_against_acquire() {
    model(3, || {
        let protected = Protected::new();
        let guard = LOCKS.key("0").lock();
        assert!(LOCKS.key("0").is_locked());
        let other = changer(&LOCKS, "0", &protected);
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

/// While a lock of the bucket is released to one who waits, another one is free.
fn in_one_bucket(locks: &'static Locks, key: &'static str) {
    let [one, two] = [(); 2].map(|()| Protected::new());
    let guard = LOCKS.key("0").lock();
    let others = [changer(&LOCKS, "0", &one), changer(locks, key, &two)];
    let [other, too] = others;
    too.join().unwrap();
    one.change();
    drop(guard);
    other.join().unwrap();
    assert_eq!((one.changes(), two.changes()), (2, 1));
}

#[test]
fn two_keys_in_one_bucket() {
    model(2, || in_one_bucket(&LOCKS, "0 too"));
}

#[test]
fn one_key_in_two_spaces() {
    model(2, || in_one_bucket(&FAIR, "0"));
}

#[test]
fn one_key_after_another_in_a_bucket() {
    model(4, || {
        let protected = Protected::new();
        let other = changer(&LOCKS, "0 too", &protected);
        drop(LOCKS.key("0").lock());
        let guard = LOCKS.key("0 too").lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

fn function_name(function: &'static Function) -> &'static str {
    site(function).function().unwrap()
}

/// A hold that is recorded with its key as the function.
fn hold(locks: &Locks, function: &'static Function) -> Guard {
    let key = function_name(function);
    let begun = locks.begin(&key, Mode::Exclusive, site(function));
    begun.block().unwrap_or_else(|never| match never {})
}

#[test]
fn snapshot_against_acquire() {
    static EARLIER: Function = Function::new("0earlier-earlier");
    static LATER: Function = Function::new("0later--later---later");
    static OTHER: Function = Function::new("1other");
    model(5, || {
        let progress = Rc::new(AtomicU32::new(0));
        let other_bucket = hold(&LOCKS, &OTHER);
        let holder = {
            let progress = Rc::clone(&progress);
            thread::spawn(move || {
                drop(hold(&LOCKS, &EARLIER));
                progress.store(1, Ordering::Release);
                drop(hold(&FAIR, &LATER));
            })
        };
        let earlier_is_over = progress.load(Ordering::Acquire) == 1;
        let mut states = snapshot().into_iter();
        let mut found = || {
            let state = states.next()?;
            let [holder] = &state.holders[..] else {
                panic!("one holds it");
            };
            assert_eq!(holder.site().unwrap().function(), Some(state.key.as_str()));
            Some((state.space, holder.site()?.function()?))
        };
        let mut locks = [found(), found()];
        locks.sort();
        let [thread, other] = locks;
        assert_eq!(other, Some((LOCKS.name(), function_name(&OTHER))));
        match thread {
            None => {}
            Some(earlier) if earlier == (LOCKS.name(), function_name(&EARLIER)) => {
                assert!(!earlier_is_over);
            }
            Some(later) => assert_eq!(later, (FAIR.name(), function_name(&LATER))),
        }
        holder.join().unwrap();
        drop(other_bucket);
    });
}

/// Of two locks that are taken together, each by its bucket.
#[test]
fn few_against_one_of_them() {
    model(4, || {
        let protected = Protected::new();
        let other = changer(&LOCKS, "1", &protected);
        let guard = LOCKS.keys(["0", "1"]).lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

/// Somebody makes entries of them, and the guard tells what they are, while they are let go.
#[test]
fn few_against_snapshot() {
    model(3, || {
        let looks = thread::spawn(|| {
            let mut keys = snapshot().into_iter().map(|state| state.key.to_string());
            (keys.next(), keys.next())
        });
        let guard = LOCKS.keys(["1", "0"]).lock().into_async();
        assert_eq!(format!("{guard:?}").matches("models/").count(), 2);
        drop(guard);
        drop(LOCKS.keys(["0", "1"]).try_lock());
        looks.join().unwrap();
    });
}

/// The second one is somebody's, so the first one is let go.
#[test]
fn few_of_which_one_is_busy() {
    model(4, || {
        let busy = LOCKS.key("2").lock();
        let other = thread::spawn(|| {
            let first = LOCKS.keys(["0", "2"]).try_lock();
            drop(first.map(|_guard| unreachable!("the second one is held")));
        });
        other.join().unwrap();
        assert!(LOCKS.key("0").try_lock().is_ok());
        drop(busy);
    });
}

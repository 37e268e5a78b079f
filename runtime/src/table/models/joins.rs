//! Models of those who join a lock by its bucket.
//!
//! | in the bucket, its word and its slots | caught by |
//! |---|---|
//! | `try_join`: relaxed | `join_of_the_last_permit` |
//! | `try_join`: the record not complete; complete, relaxed | `join_against_release` |
//! | `try_join`: another text | `join_of_another_key` |
//! | `try_join`: another space | `reentry_of_others` |
//! | `try_join`: in vain, and it isn't said | `join_of_another_key` |
//! | `try_join`: in vain, and it is a holder | `join_against_release` |
//! | `try_join`: in vain, relaxed | `join_of_another_key_against_inflation` |
//! | `slot_for`: a permit too many | `join_of_the_last_permit` |
//! | `slot_for`: an exclusive hold joined | `join_beyond_the_slots` |
//! | `fill`, `read`, `fill_again`: relaxed; `read`: not waited for | `join_of_the_last_permit` |
//! | `release_slot`: the slot not emptied | `join_against_snapshot` |
//! | `release_slot`: the slot not filled again | `join_of_the_last_permit` |
//! | `leave`: the look relaxed | `join_against_release` |
//! | `leave`: relaxed beside others; free though others are there | `join_of_the_last_permit` |
//! | `leave`: not free though nobody is there | `join_beyond_the_slots` |
//! | `unreserve`: the slots not cleared; `read`: nor that they are to be | `join_after_an_earlier_hold` |
//! | `read`: the slots left out | `join_of_the_last_permit` |
//! | `read`: who was first, though gone | `release_of_one_who_joined_against_enqueue` |

use super::{COUNTED, FAIR, LOCKS, Protected, changer, model};
use crate::__private::{Function, site};
use crate::guard::Guard;
use crate::local::Locks;
use crate::snapshot::snapshot;
use crate::space::Space as _;
use crate::table::policy::Mode;
use loom::sync::atomic::AtomicU32;
use loom::thread::{self, JoinHandle};
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// A thread that holds the key shared, and looks at what it protects.
fn reader(locks: &'static Locks, key: &'static str, protected: &Protected) -> JoinHandle<()> {
    let protected = protected.clone();
    thread::spawn(move || {
        let _guard = locks.key(key).shared().lock();
        protected.changes();
    })
}

/// Changes what a key protects, if nobody holds it.
fn try_change(locks: &Locks, key: &'static str, protected: &Protected) {
    if let Ok(_guard) = locks.key(key).try_lock() {
        protected.change();
    }
}

#[test]
fn join_against_release() {
    model(3, || {
        let protected = Protected::new();
        let joins = reader(&LOCKS, "0", &protected);
        let first = LOCKS.key("0").shared().lock();
        protected.changes();
        drop(first);
        try_change(&LOCKS, "0", &protected);
        joins.join().unwrap();
        protected.change();
    });
}

/// Both by the slot that the first one of them leaves, or by two.
#[test]
fn join_against_join() {
    model(2, || {
        let protected = Protected::new();
        let first = LOCKS.key("0").shared().lock();
        let joins = [(); 2].map(|()| reader(&LOCKS, "0", &protected));
        drop(first);
        try_change(&LOCKS, "0", &protected);
        for thread in joins {
            thread.join().unwrap();
        }
    });
}

/// Of one hash, for who joins first looks which lock it is afterwards.
fn join_of_another(locks: &'static Locks, key: &'static str) {
    let [one, other] = [(); 2].map(|()| Protected::new());
    let first = LOCKS.key("0").shared().lock();
    let joins = reader(locks, key, &other);
    try_change(locks, key, &other);
    one.changes();
    drop(first);
    try_change(&LOCKS, "0", &one);
    joins.join().unwrap();
}

#[test]
fn join_of_another_key() {
    model(3, || join_of_another(&LOCKS, "0 too"));
}

#[test]
fn join_of_another_space() {
    model(3, || join_of_another(&FAIR, "0"));
}

/// Who would have joined another lock is in nobody's way, and has done with the record when that is written
/// anew.
#[test]
fn join_of_another_key_against_inflation() {
    model(3, || {
        let first = LOCKS.key("0").shared().lock();
        let joins = thread::spawn(|| drop(LOCKS.key("0 too").shared().try_lock()));
        for lock in snapshot() {
            assert_eq!(lock.holders.len(), 1, "{lock:?}");
        }
        drop(first);
        drop(LOCKS.key("0").shared().try_lock());
        joins.join().unwrap();
    });
}

#[test]
fn release_of_one_who_joined_against_enqueue() {
    model(4, || {
        let protected = Protected::new();
        let first = LOCKS.key("0").shared().lock();
        let joined = LOCKS.key("0").shared().lock();
        let waiter = changer(&LOCKS, "0", &protected);
        protected.changes();
        drop(first);
        protected.changes();
        drop(joined);
        waiter.join().unwrap();
    });
}

/// One more than there are slots; and beside them somebody waits.
#[test]
fn join_beyond_the_slots() {
    model(3, || {
        let protected = Protected::new();
        let waiter = changer(&LOCKS, "0", &protected);
        let mut guards = [(); 4].map(|()| LOCKS.key("0").shared().try_lock().ok());
        if guards.iter().any(Option::is_some) {
            protected.changes();
        }
        guards.iter_mut().for_each(|guard| drop(guard.take()));
        waiter.join().unwrap();
    });
}

/// As many as there are permits.
#[test]
fn join_of_the_last_permit() {
    model(4, || {
        let inside = Rc::new(AtomicU32::new(0));
        let try_in = |inside: &AtomicU32| {
            if let Ok(_guard) = COUNTED.key("0").try_lock() {
                // Relaxed, so that nothing here orders the threads.
                assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                inside.fetch_sub(1, Ordering::Relaxed);
            }
        };
        let first = COUNTED.key("0").lock();
        let other = {
            let inside = Rc::clone(&inside);
            thread::spawn(move || try_in(&inside))
        };
        try_in(&inside);
        other.join().unwrap();
        drop(first);
    });
}

fn hold(function: &'static Function) -> Guard {
    let begun = LOCKS.begin(&"0", Mode::Shared, site(function));
    begun.block().unwrap_or_else(|never| match never {})
}

/// Somebody looks who holds it, while one joins and leaves and joins.
#[test]
fn join_against_snapshot() {
    static FIRST: Function = Function::new("first");
    static JOINED: [Function; 2] = [Function::new("second"), Function::new("third")];
    model(4, || {
        let progress = Rc::new(AtomicU32::new(0));
        let first = hold(&FIRST);
        let joins = {
            let progress = Rc::clone(&progress);
            thread::spawn(move || {
                for (nth, function) in (0..).zip(&JOINED) {
                    let guard = hold(function);
                    progress.store(2 * nth + 1, Ordering::Release);
                    drop(guard);
                    progress.store(2 * nth + 2, Ordering::Release);
                }
            })
        };
        let before = progress.load(Ordering::Acquire);
        let lock = snapshot().into_iter().next().expect("it is held");
        let after = progress.load(Ordering::Acquire);
        let holders = lock.holders.iter();
        let names: Vec<_> = holders
            .map(|holder| holder.site().unwrap().function().unwrap())
            .collect();
        let possible = |progress| match progress {
            1 => vec!["first", "second"],
            3 => vec!["first", "third"],
            _ => vec!["first"],
        };
        let mut between = (before..=(after + 1).min(4)).map(possible);
        assert!(between.any(|possible| possible == names), "{names:?}");
        joins.join().unwrap();
        drop(first);
    });
}

/// What was joined has been an entry, and the bucket is free again and joined once more.
#[test]
fn join_after_an_earlier_hold() {
    model(3, || {
        let (first, joined) = (
            LOCKS.key("0").shared().lock(),
            LOCKS.key("0").shared().lock(),
        );
        // Another lock's entry, without which it would be thin when only one of them has gone.
        let beside = LOCKS.key("0 too").lock();
        drop((first, joined));
        drop(beside);
        let first = LOCKS.key("0").shared().lock();
        let protected = Protected::new();
        let joins = reader(&LOCKS, "0", &protected);
        let holders = snapshot().first().map_or(0, |lock| lock.holders.len());
        assert!((1..=2).contains(&holders));
        joins.join().unwrap();
        drop(first);
    });
}

//! Models of a lock that was an entry and is thin again, though it has holders.

use super::{COUNTED, LOCKS, Protected, changer, key, model};
use crate::local::Locks;
use crate::sync::pass;
use crate::table::Name;
use crate::table::fast::is_held_thin;
use crate::table::looks;
use loom::sync::atomic::AtomicU32;
use loom::thread::{self, JoinHandle};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Makes an entry of a lock that is held.
fn inflate(locks: &'static Locks) {
    assert!(locks.key("0").is_locked());
    assert!(!is_thin(locks));
}

fn is_thin(locks: &'static Locks) -> bool {
    is_held_thin(Name::new(locks.id(), b"0"))
}

/// A thread that holds the key shared, and looks at what it protects.
fn reader(protected: &Protected) -> JoinHandle<()> {
    let protected = protected.clone();
    thread::spawn(move || {
        let _guard = key(&LOCKS, true).lock();
        protected.changes();
    })
}

/// Changes what the key protects, if nobody holds it.
fn try_change(protected: &Protected) {
    if let Ok(_guard) = LOCKS.key("0").try_lock() {
        protected.change();
    }
}

/// Who holds it alone releases, while somebody joins.
fn release_against_join(held: impl FnOnce(&Protected) -> crate::Guard) {
    let protected = Protected::new();
    let held = held(&protected);
    inflate(&LOCKS);
    let joins = reader(&protected);
    protected.changes();
    drop(held);
    try_change(&protected);
    joins.join().unwrap();
    protected.change();
}

#[test]
fn release_of_the_first_against_join() {
    model(4, || release_against_join(|_| key(&LOCKS, true).lock()));
}

#[test]
fn release_of_one_who_joined_against_join() {
    model(4, || {
        release_against_join(|protected| {
            let first = key(&LOCKS, true).lock();
            let joined = key(&LOCKS, true).lock();
            protected.changes();
            drop(first);
            joined
        });
    });
}

/// Who joined with the mutex, and has it by the bucket alone since then.
#[test]
fn release_of_one_who_joined_the_entry_against_join() {
    model(4, || {
        release_against_join(|protected| {
            let first = key(&LOCKS, true).lock();
            inflate(&LOCKS);
            let joined = key(&LOCKS, true).lock();
            assert!(is_thin(&LOCKS));
            protected.changes();
            drop(first);
            joined
        });
    });
}

/// Two come at once, and the holder goes.
#[test]
fn join_against_join() {
    model(2, || {
        let protected = Protected::new();
        let first = key(&LOCKS, true).lock();
        inflate(&LOCKS);
        let joins = [(); 2].map(|()| reader(&protected));
        drop(first);
        try_change(&protected);
        for thread in joins {
            thread.join().unwrap();
        }
    });
}

#[test]
fn join_against_enqueue() {
    model(3, || {
        let protected = Protected::new();
        let first = key(&LOCKS, true).lock();
        inflate(&LOCKS);
        let waiter = changer(&LOCKS, "0", &protected);
        let second = key(&LOCKS, true).try_lock();
        if second.is_ok() {
            protected.changes();
        }
        drop(first);
        drop(second);
        waiter.join().unwrap();
        assert_eq!(protected.changes(), 1);
    });
}

/// A waiter gives up, and leaves those who were there before.
#[test]
fn release_against_leave() {
    model(4, || {
        let protected = Protected::new();
        let first = key(&LOCKS, true).lock();
        let joined = key(&LOCKS, true).lock();
        let leaves = {
            let protected = protected.clone();
            thread::spawn(move || {
                let taken = LOCKS.key("0").lock_timeout(Duration::ZERO);
                if let Ok(_guard) = taken {
                    protected.change();
                }
            })
        };
        protected.changes();
        drop(joined);
        protected.changes();
        drop(first);
        try_change(&protected);
        leaves.join().unwrap();
    });
}

/// Nobody holds it when it is taken with the mutex, since somebody looks.
#[test]
fn take_against_look() {
    model(2, || {
        let protected = Protected::new();
        let looks = thread::spawn(|| LOCKS.key("0").is_locked());
        let first = key(&LOCKS, true).lock();
        let joins = reader(&protected);
        protected.changes();
        drop(first);
        try_change(&protected);
        looks.join().unwrap();
        joins.join().unwrap();
    });
}

/// A permit is given back, and taken by somebody else.
#[test]
fn permits() {
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
        inflate(&COUNTED);
        let other = {
            let inside = Rc::clone(&inside);
            thread::spawn(move || try_in(&inside))
        };
        try_in(&inside);
        other.join().unwrap();
        drop(first);
    });
}

/// Another key's entry is in the bucket.
#[test]
fn another_key_beside() {
    model(2, || {
        let [one, other] = [(); 2].map(|()| Protected::new());
        let first = key(&LOCKS, true).lock();
        let beside = LOCKS.key("0 too").lock();
        let joins = reader(&one);
        let waits = changer(&LOCKS, "0 too", &other);
        other.change();
        drop(beside);
        drop(first);
        joins.join().unwrap();
        waits.join().unwrap();
        assert_eq!(other.changes(), 2);
    });
}

/// Whose guard was sent on is nobody's in particular, when the lock has been thin again, too.
fn sent(guard: impl Fn() -> crate::AsyncGuard) {
    let guard = guard();
    assert!(is_thin(&LOCKS));
    let release = thread::spawn(move || drop(guard));
    // It isn't in its own way.
    drop(LOCKS.key("0").lock());
    release.join().unwrap();
}

#[test]
fn sent_guard_of_the_first() {
    model(3, || {
        sent(|| {
            let first = key(&LOCKS, true).lock().into_async();
            drop(key(&LOCKS, true).lock());
            first
        });
    });
}

#[test]
fn sent_guard_of_one_who_joined() {
    model(3, || {
        sent(|| {
            let first = key(&LOCKS, true).lock();
            let joined = key(&LOCKS, true).lock().into_async();
            drop(first);
            joined
        });
    });
}

/// How many have been seen to have it for some time.
fn held_long() -> usize {
    looks::held(Duration::from_millis(1)).len()
}

/// Since when a hold has lasted is known as before, and of the next one nothing.
#[test]
fn since_when_it_is_held() {
    model(1, || {
        let first = key(&LOCKS, true).lock();
        assert_eq!(held_long(), 0);
        let joined = key(&LOCKS, true).lock();
        assert!(is_thin(&LOCKS));
        pass(Duration::from_millis(1));
        assert_eq!(held_long(), 1);
        drop(key(&LOCKS, true).lock());
        assert!(is_thin(&LOCKS));
        pass(Duration::from_millis(1));
        assert_eq!(held_long(), 2);
        drop(key(&LOCKS, true).lock());
        assert!(is_thin(&LOCKS));
        drop(joined);
        let next = key(&LOCKS, true).lock();
        assert_eq!(held_long(), 1);
        drop(first);
        drop(next);
        let (first, joined) = (key(&LOCKS, true).lock(), key(&LOCKS, true).lock());
        assert_eq!(held_long(), 0);
        drop((first, joined));
    });
}

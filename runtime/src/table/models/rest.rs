//! Models of a lock that was an entry and is thin again, though it has holders.
//!
//! | in the bucket | caught by |
//! |---|---|
//! | `deflate`: slots of others left as they are | `join_after_a_release` |
//! | `deflate`: the record not written; `begin_joint` does nothing | `take_against_look` |
//! | `deflate`: the record of another mode | `shared_after_exclusive` |
//! | `deflate`: the record complete, though who was first, or the last, is about to release | `join_against_join`, `release_of_the_last_against_leave` |
//! | `deflate`: relaxed | `release_of_one_who_joined_against_join` |
//! | `deflate`: since when it is held not kept, of the first or of others; `fill`: that kept of an earlier hold; `since`: so, too | `since_when_it_is_held` |
//! | `fill`: the slot not filled | `since_when_it_is_held` |
//! | `fill`: the slots not to be cleared | `join_after_an_entry` |
//! | `disown`: the slot not | `sent_guard_of_one_who_joined` |
//! | `disown`: the first not | `sent_guard_of_the_first` |
//!
//! | in the entry and the table | caught by |
//! |---|---|
//! | `may_rest`: with waiters | `release_against_leave` |
//! | `may_rest`: with holders that have no place in the bucket | `join_beyond_the_slots` |
//! | `ticket_to_join`: somebody else's | `join_against_join` |
//! | `ticket_to_join`: one of the bucket, of another entry | `another_key_that_is_shared` |
//! | `rest`: beside other entries; a new one with the bucket's tickets beside others | `another_key_beside` |
//! | `rest`: the entry kept | `since_when_it_is_held` |
//! | `rest`: its number forgotten | `place_of_a_hold_stays` |
//! | `rest`: a reservation taken off that isn't there | `join_by_the_bucket_alone` |
//!
//! One that lets exclusive holds rest does no harm: there are none with a ticket of the bucket but those that were
//! thin, whose record stays. It only costs time. That somebody listens is seen by the reservation and by the entry, of which
//! each would do.

use super::{COUNTED, LOCKS, Protected, changer, key, model, poll_once};
use crate::guard::{AsyncGuard, Guard};
use crate::local::Locks;
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::sync::pass;
use crate::table::policy::Mode;
use crate::table::{Hold, Name, fast, looks};
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
    fast::is_held_thin(name(locks).hash)
}

fn name(locks: &'static Locks) -> Name<'static> {
    Name::new(locks.id(), b"0")
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

/// Those who compare what they see at different times know a hold by its place.
#[test]
fn place_of_a_hold_stays() {
    model(1, || {
        let held = LOCKS.key("0").shared().lock();
        let place = || looks::held(Duration::ZERO)[0].party.place;
        let before = place();
        drop(LOCKS.key("0").shared().lock());
        assert!(is_thin(&LOCKS));
        assert_eq!(place(), before);
        drop(held);
    });
}

/// Who holds it alone releases, while somebody joins.
fn release_against_join(held: impl FnOnce(&Protected) -> Guard) {
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
    model(3, || {
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

/// The same while one goes who has joined, and is the last one; after which the record is the next holder's.
#[test]
fn release_of_the_last_against_leave() {
    model(3, || {
        let first = key(&LOCKS, true).lock();
        let joined = key(&LOCKS, true).lock();
        drop(first);
        let leaves = thread::spawn(|| drop(LOCKS.key("0").lock_timeout(Duration::ZERO)));
        drop(joined);
        let next = LOCKS.key("0 too").try_lock();
        looks::holders();
        drop(next);
        leaves.join().unwrap();
    });
}

/// Nobody holds it when it is taken with the mutex, since somebody looks; and another key was in the bucket before.
#[test]
fn take_against_look() {
    model(4, || {
        drop(LOCKS.key("0 too").lock());
        let looks = thread::spawn(|| LOCKS.key("0").is_locked());
        let first = key(&LOCKS, true).lock();
        assert!(LOCKS.key("0").try_lock().is_err());
        drop(key(&LOCKS, true).lock());
        drop(first);
        looks.join().unwrap();
    });
}

/// Somebody joins, in a slot that was another one's, while somebody looks.
fn join_against_look(first: Guard) {
    let joins = reader(&Protected::new());
    let holders = looks::holders().first().map_or(0, |(_, holders)| *holders);
    assert!((1..=2).contains(&holders));
    joins.join().unwrap();
    drop(first);
}

/// The other one has released with the mutex, and then the lock has been thin again.
#[test]
fn join_after_a_release() {
    model(3, || {
        let first = key(&LOCKS, true).lock();
        let joined = key(&LOCKS, true).lock();
        inflate(&LOCKS);
        drop(joined);
        assert!(is_thin(&LOCKS));
        join_against_look(first);
    });
}

/// The other one has had a slot of an entry which wasn't thin afterwards.
#[test]
fn join_after_an_entry() {
    model(3, || {
        let first = key(&LOCKS, true).lock();
        let beside = LOCKS.key("0 too").lock();
        drop(key(&LOCKS, true).lock());
        drop((beside, first));
        join_against_look(key(&LOCKS, true).lock());
    });
}

/// The bucket is as it was before.
#[test]
fn join_by_the_bucket_alone() {
    model(1, || {
        let first = key(&LOCKS, true).lock();
        inflate(&LOCKS);
        drop(key(&LOCKS, true).lock());
        let (owner, site) = (Owner::thread(), Site::here());
        let word = fast::try_take_thin_as(name(&LOCKS), Mode::Shared, Record { owner, site });
        drop(word.map(Hold::thin).expect("there is room"));
        drop(first);
    });
}

/// It was exclusive when it became an entry.
#[test]
fn shared_after_exclusive() {
    model(1, || {
        let held = LOCKS.key("0").lock();
        let mut waiter = key(&LOCKS, true).lock_async();
        assert!(poll_once(&mut waiter).is_pending());
        drop(held);
        let handed = poll_once(&mut waiter);
        assert!(handed.is_ready());
        let joined = key(&LOCKS, true).lock();
        drop(handed);
        assert!(is_thin(&LOCKS));
        inflate(&LOCKS);
        assert!(key(&LOCKS, true).try_lock().is_ok());
        drop(joined);
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

/// Which is shared, and not the entry with the bucket's tickets.
#[test]
fn another_key_that_is_shared() {
    model(1, || {
        let one = LOCKS.key("0").lock();
        let others = [(); 2].map(|()| LOCKS.key("0 too").shared().lock());
        drop(others);
        drop(one);
    });
}

/// Whose guard was sent on is nobody's in particular, when the lock has been thin again, too.
fn sent(guard: impl Fn() -> AsyncGuard) {
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

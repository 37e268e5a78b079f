//! Models of exact mode: that what a listener is told is whole, whenever it comes and goes.
//!
//! | in the mechanism | caught by |
//! |---|---|
//! | no reservation kept; a bucket's bits not set; a hold that begins not told of | `holds_between_begin_and_end` |
//! | a reservation not given back | `two_listeners` |
//! | what is held at the begin not told of | `shared_holds_against_begin` |
//! | what is held at the end not told of; a bucket's bits not cleared | `holds_against_begin_and_end` |
//! | an entry's bits not cleared | `thin_holds_against_begin_and_end` |
//! | the bits of all cleared, in an entry or a bucket | `two_listeners` |
//! | a release not told of; a new entry not told of | `holds_between_begin_and_end` |
//! | a guard that is sent on not told of | `thin_holds_against_begin_and_end` |

use super::{FAIR, LOCKS, Protected, changer, key, model, poll_once};
use crate::local::Locks;
use crate::table::ears::Ears;
use crate::table::ears::heard::{HEARD, Heard};
use crate::table::kept::Exact;
use crate::table::sample::Sample;
use crate::timeline::recorder;
use loom::thread;

fn begin(ears: Ears) -> Exact {
    Exact::begin(ears, Sample::one_in(1))
}

/// Checks what was heard of one lock: each hold begins once, and then ends once. Gives how many
/// there were, and how many of them went on at the end.
fn check(permits: usize) -> (usize, usize) {
    let (mut holds, mut all, mut lasting) = (Vec::new(), 0, 0);
    for (heard, id) in HEARD.lock().drain(..) {
        let known = holds.iter().position(|hold| *hold == id);
        match heard {
            Heard::Acquired => {
                assert_eq!(known, None, "a hold begins once");
                holds.push(id);
                all += 1;
            }
            Heard::Disowned => assert!(known.is_some(), "a hold is known"),
            Heard::Released | Heard::Lasts => {
                holds.remove(known.expect("a hold has begun before it ends"));
                lasting += usize::from(heard == Heard::Lasts);
            }
        }
        assert!(holds.len() <= permits, "holds exclude each other");
    }
    assert!(holds.is_empty(), "a hold ends");
    (all, lasting)
}

/// Two threads take the lock, before, while or after it is listened to, and the listener too.
#[test]
fn holds_against_begin_and_end() {
    model(2, || {
        let protected = Protected::new();
        let others = [(); 2].map(|()| changer(&LOCKS, "0", &protected));
        let exact = begin(Ears::MODEL);
        drop(LOCKS.key("0").lock());
        drop(exact);
        let (heard, lasting) = check(1);
        assert!((1..=3).contains(&heard) && lasting <= 1);
        for other in others {
            other.join().unwrap();
        }
        assert!(HEARD.lock().is_empty());
        assert_eq!(protected.changes(), 2);
    });
}

#[test]
fn holds_between_begin_and_end() {
    model(3, || {
        let exact = begin(Ears::MODEL);
        let protected = Protected::new();
        let other = changer(&LOCKS, "0", &protected);
        drop(LOCKS.key("0").lock());
        drop(LOCKS.key("0").try_lock());
        other.join().unwrap();
        drop(exact);
        assert!(matches!(check(1), (2 | 3, 0)));
    });
}

/// A hold from before that ends meanwhile, and one that lasts, whose guard is sent on.
#[test]
fn thin_holds_against_begin_and_end() {
    model(3, || {
        let first = LOCKS.key("0").lock().into_async();
        let second = LOCKS.key("2").lock();
        let release = thread::spawn(move || drop(first));
        let exact = begin(Ears::MODEL);
        let second = second.into_async();
        drop(exact);
        let mut heard = HEARD.lock().clone().into_iter();
        assert!(heard.any(|(heard, _)| heard == Heard::Disowned));
        let (heard, lasting) = check(2);
        assert!((1..=2).contains(&heard) && (1..=heard).contains(&lasting));
        release.join().unwrap();
        drop(second);
        assert!(HEARD.lock().is_empty());
    });
}

/// The lock is handed to a waiter that comes, or leaves, and was there before or not.
fn wait(locks: &'static Locks, comes: bool) {
    let held = locks.key("0").lock().into_async();
    let mut waiter = locks.key("0").lock_async();
    assert!(poll_once(&mut waiter).is_pending());
    let exact = begin(Ears::MODEL);
    let release = thread::spawn(move || drop(held));
    let other = thread::spawn(|| drop(locks.key("0").lock()));
    let taken = comes.then(|| poll_once(&mut waiter));
    drop(waiter);
    drop(taken);
    release.join().unwrap();
    other.join().unwrap();
    drop(exact);
    assert!(matches!(check(1), (2 | 3, 0)));
}

#[test]
fn hand_over_to_a_waiter_that_comes() {
    model(2, || wait(&FAIR, true));
}

#[test]
fn hand_over_to_a_waiter_that_leaves() {
    model(2, || wait(&FAIR, false));
}

#[test]
fn wake_up_of_a_waiter_that_comes() {
    model(2, || wait(&LOCKS, true));
}

/// Shared holds, of which each is told of.
#[test]
fn shared_holds_against_begin() {
    model(3, || {
        let first = key(&LOCKS, true).lock();
        let other = thread::spawn(|| drop(key(&LOCKS, true).lock()));
        let exact = begin(Ears::MODEL);
        drop(key(&LOCKS, true).lock());
        drop(first);
        other.join().unwrap();
        drop(exact);
        assert!(matches!(check(3), (2 | 3, 0)));
    });
}

/// The second of two listeners is told still when the first has gone.
#[test]
fn two_listeners() {
    model(3, || {
        let second = begin(Ears::MODEL);
        let first = begin(Ears::RECORDING);
        let other = thread::spawn(|| drop(LOCKS.key("0").lock()));
        drop(first);
        drop(LOCKS.key("0").lock());
        other.join().unwrap();
        drop(second);
        assert_eq!(check(1), (2, 0));
        recorder::end();
    });
}

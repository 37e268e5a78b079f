//! Models of whom waits are blamed on, while somebody listens.
//!
//! Time passes only where a model lets it, so all of it is known to be somebody's.
//!
//! | in the entry | caught by |
//! |---|---|
//! | clocks not set: in `release` | `blame_of_a_hold` |
//! | clocks not set: in `leave` | `blame_of_a_waiter_that_leaves` |
//! | clocks not set: in `retry` | `blame_of_a_hold_whose_waiter_takes_the_lock_itself` |
//! | clocks that run twice | `blame_of_a_hold` |
//! | a holder that has come isn't blamed, or one that has gone still is | `blame_of_one_hold_after_another` |
//! | `pass_on`: the wait not charged | `blame_of_a_hold_that_is_handed_over` |
//! | `come`: the time since the hand-over not charged | `blame_of_a_waiter_that_comes` |
//! | `leave`: that not charged | `blame_of_a_hand_over_that_is_not_taken` |
//! | what still waits charged twice | `blame_of_one_hold_after_another` |
//! | `end`: charges lost | `blame_of_a_waiter_that_leaves` |
//! | `queues`: what is over not taken from a lock that somebody has | `blame_that_is_read_in_the_middle` |
//! | what was taken not taken out, so that it comes twice | `blame_that_is_read_in_the_middle` |
//! | `ajar::end`: clocks not set, or after there are holders | `blame_of_a_hold_that_overtakes` |
//! | `ajar::end`: holders that aren't blamed | `blame_of_a_hold_that_overtakes` |
//! | `ajar::leave`: not while somebody listens | `blame_of_a_hold_that_overtakes` |
//!
//! That a wait is as long for who listens as for the blame is no matter of a race; `tests` has it.

use super::ajar::{Called, is_thin};
use super::{FAIR, LOCKS, PATIENCE, Protected, changer, model, poll_once};
use crate::costs::{self, Costs};
use crate::culprit::Culprit;
use crate::local::Locks;
use crate::observe::listen::{Listeners, listen};
use crate::observe::outcome::Outcome;
use crate::sync::pass;
use crate::table::looks;
use loom::thread;
use std::time::Duration;

/// What was blamed on holders of this line, and on all; and how long all waits were.
fn sums(line: u32) -> [u64; 3] {
    looks::queues();
    let Costs { pairs, spaces, .. } = costs::copy();
    let by_line = pairs.iter().filter(
        |(pair, _)| matches!(pair.holder, Culprit::Here(site) if site.location().line() == line),
    );
    let waited = spaces.values().flat_map(|space| {
        let sum = |outcome| u64::try_from(space.waits(outcome).sum().as_nanos()).unwrap();
        Outcome::ALL.map(sum)
    });
    [
        by_line.map(|(_, cost)| cost.nanoseconds).sum(),
        pairs.values().map(|cost| cost.nanoseconds).sum(),
        waited.sum(),
    ]
}

/// Time passes only while this thread has the lock, and it goes to two others.
fn hold(locks: &'static Locks, time: Duration) {
    listen(Listeners::COUNTS);
    let protected = Protected::new();
    let (held, line) = (locks.key("0").lock(), line!());
    let others = [(); 2].map(|()| changer(locks, "0", &protected));
    pass(time);
    drop(held);
    for other in others {
        other.join().unwrap();
    }
    let [own, all, waited] = sums(line);
    assert_eq!((own, all), (waited, waited));
}

#[test]
fn blame_of_a_hold() {
    model(2, || hold(&LOCKS, PATIENCE));
}

#[test]
fn blame_of_a_hold_that_is_handed_over() {
    model(2, || hold(&FAIR, PATIENCE));
}

#[test]
fn blame_of_a_hold_whose_waiter_takes_the_lock_itself() {
    model(2, || hold(&LOCKS, PATIENCE / 2));
}

/// Time passes before or after the release, and the waiter comes or leaves; somebody looks.
fn wait(locks: &'static Locks, comes: bool) {
    listen(Listeners::COUNTS);
    let held = locks.key("0").lock().into_async();
    let (mut waiter, line) = (locks.key("0").lock_async(), line!());
    assert!(poll_once(&mut waiter).is_pending());
    let release = thread::spawn(move || drop(held));
    let look = thread::spawn(|| {
        looks::queues();
    });
    pass(PATIENCE);
    let taken = comes.then(|| poll_once(&mut waiter));
    release.join().unwrap();
    look.join().unwrap();
    drop(taken);
    drop(waiter);
    let [own, all, waited] = sums(line);
    assert_eq!((all, waited), (waited, 1_000_000));
    assert!(own <= all);
}

#[test]
fn blame_of_a_waiter_that_comes() {
    model(3, || wait(&FAIR, true));
}

#[test]
fn blame_of_a_waiter_that_leaves() {
    model(3, || wait(&LOCKS, false));
}

#[test]
fn blame_of_a_hand_over_that_is_not_taken() {
    model(3, || wait(&FAIR, false));
}

/// Time passes in one hold after the other, of which the second is a waiter's, while somebody looks.
#[test]
fn blame_of_one_hold_after_another() {
    model(2, || {
        listen(Listeners::COUNTS);
        let (first, line) = (LOCKS.key("0").lock(), line!());
        let (mut second, next_line) = (LOCKS.key("0").lock_async(), line!());
        let mut third = LOCKS.key("0").lock_async();
        assert!(poll_once(&mut second).is_pending() && poll_once(&mut third).is_pending());
        let look = thread::spawn(|| {
            looks::queues();
        });
        pass(PATIENCE / 4);
        drop(first);
        let second = poll_once(&mut second);
        assert!(second.is_ready());
        pass(PATIENCE / 2);
        drop(second);
        assert!(poll_once(&mut third).is_ready());
        look.join().unwrap();
        assert_eq!(sums(line), [500_000, 1_000_000, 1_000_000]);
        assert_eq!(sums(next_line)[0], 500_000);
    });
}

/// The lock goes from one to the next, while somebody looks: what is over by then is there, and there once.
#[test]
fn blame_that_is_read_in_the_middle() {
    model(3, || {
        listen(Listeners::COUNTS);
        let (first, line) = (FAIR.key("0").lock(), line!());
        let (mut second, mut third) = (FAIR.key("0").lock_async(), FAIR.key("0").lock_async());
        assert!(poll_once(&mut second).is_pending() && poll_once(&mut third).is_pending());
        pass(PATIENCE / 4);
        let look = thread::spawn(|| {
            looks::queues();
        });
        drop(first);
        let second = poll_once(&mut second);
        assert!(second.is_ready());
        look.join().unwrap();
        // The third waits still.
        assert_eq!(sums(line), [500_000, 500_000, 250_000]);
        drop(second);
        let third = poll_once(&mut third);
        assert!(third.is_ready());
        // Now nobody waits, and the lock is held.
        assert_eq!(sums(line), [500_000, 500_000, 500_000]);
        drop(third);
        assert_eq!(sums(line), [500_000, 500_000, 500_000]);
    });
}

/// One hold has come and gone before the thread comes that was called, and the next one is in its way.
#[test]
fn blame_of_a_hold_that_overtakes() {
    model(1, || {
        listen(Listeners::COUNTS);
        let (held, line) = (LOCKS.key("0").lock(), line!());
        let (mut called, line_of_called) = (Called::begin(&LOCKS), line!());
        pass(PATIENCE / 4);
        drop(held);
        let (unseen, line_of_unseen) = (LOCKS.key("0").lock(), line!());
        assert!(is_thin("0"));
        pass(PATIENCE / 4);
        // Who looks needn't see it.
        assert_eq!(sums(line_of_called), [250_000, 500_000, 0]);
        assert!(is_thin("0"));
        drop(unseen);
        let (seen, line_of_seen) = (LOCKS.key("0").lock(), line!());
        pass(PATIENCE / 4);
        assert!(called.step().is_none());
        pass(PATIENCE / 2);
        drop(seen);
        assert!(called.step().is_some());
        let by = |line| sums(line)[0];
        assert_eq!(sums(line), [250_000, 1_250_000, 1_250_000]);
        assert_eq!(by(line_of_called), 500_000);
        assert_eq!((by(line_of_unseen), by(line_of_seen)), (0, 500_000));
    });
}

/// Who comes to wait behind it finds it, and the thread that was called doesn't come before it has ended.
#[test]
fn blame_of_a_hold_that_overtakes_and_is_found_by_another_one() {
    model(1, || {
        listen(Listeners::COUNTS);
        let held = LOCKS.key("0").lock();
        let (mut called, line_of_called) = (Called::begin(&LOCKS), line!());
        drop(held);
        let (seen, line) = (LOCKS.key("0").lock(), line!());
        assert!(is_thin("0"));
        pass(PATIENCE / 4);
        let mut next = Called::begin(&LOCKS);
        assert!(!is_thin("0"));
        pass(PATIENCE / 4);
        drop(seen);
        pass(PATIENCE / 4);
        let won = called.step();
        assert!(won.is_some());
        pass(PATIENCE / 4);
        drop(won);
        assert!(next.step().is_some());
        assert_eq!(sums(line), [500_000, 1_500_000, 1_500_000]);
        assert_eq!(sums(line_of_called)[0], 1_000_000);
    });
}

/// The thread that was called leaves before that, and the next one is behind it.
#[test]
fn blame_of_a_hold_that_overtakes_one_who_leaves() {
    model(1, || {
        listen(Listeners::COUNTS);
        let held = LOCKS.key("0").lock();
        let (called, line_of_called) = (Called::begin(&LOCKS), line!());
        let mut next = Called::begin(&LOCKS);
        drop(held);
        let (seen, line) = (LOCKS.key("0").lock(), line!());
        assert!(is_thin("0"));
        pass(PATIENCE / 4);
        drop(called);
        pass(PATIENCE / 4);
        drop(seen);
        assert!(next.step().is_some());
        assert_eq!(sums(line), [250_000, 750_000, 750_000]);
        assert_eq!(sums(line_of_called)[0], 500_000);
    });
}

/// Time passes in a hold that others may overtake by, or wait behind, while somebody looks.
#[test]
fn blame_of_threads_that_overtake() {
    model(2, || {
        listen(Listeners::COUNTS);
        let protected = Protected::new();
        let held = LOCKS.key("0").lock();
        let waiter = changer(&LOCKS, "0", &protected);
        let look = thread::spawn(|| {
            looks::queues();
        });
        drop(held);
        {
            let _guard = LOCKS.key("0").lock();
            pass(PATIENCE / 4);
        }
        waiter.join().unwrap();
        look.join().unwrap();
        let [_, all, waited] = sums(0);
        assert_eq!(all, waited);
        assert!(waited == 0 || waited == 250_000);
    });
}

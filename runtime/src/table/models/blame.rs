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
//!
//! That a wait is as long for who listens as for the blame is no matter of a race; `tests` has it.

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

//! Models of a recording: that each hold and each wait is in it once, whenever it begins, ends, or is taken out.
//!
//! | in the mechanism | caught by |
//! |---|---|
//! | `end`: exact mode ends after what is kept was taken out | `hold_against_end` |
//! | `end`: waits that go on not looked at | `wait_against_end` |
//! | `going_on`: what is over not handed on, by the lock or its shard, or in another turn of the mutex, before the look | `wait_against_end` |
//! | `part_by_now`: what was taken out lost | `hold_against_part` |
//! | `part_by_now`: what ends later lost | `wait_against_part` |
//! | `are_over`: what was over before kept | `wait_before_recording` |
//! | `begin`: one more beside the one that goes on | `recording_against_recording` |
//! | `end`: another one may begin before what was kept is taken out | `recording_against_recording` |

use super::{LOCKS, PATIENCE, model, poll_once};
use crate::name::Keys;
use crate::observe::outcome::Outcome;
use crate::owner::Owner;
use crate::sync::pass;
use crate::table::looks;
use crate::timeline::record::Recording;
use crate::timeline::recorder;
use crate::timeline::rows::{Row, What};
use loom::thread::{self, JoinHandle};

fn begin() -> Option<Recording> {
    Recording::begin(1, Keys::Plain)
}

/// Ends it. Gives what was drawn of it.
fn end(recording: Recording) -> Vec<Row> {
    let (picture, summary) = recording.end();
    assert_eq!(summary.dropped(), 0);
    picture.rows
}

fn holds(rows: &[Row]) -> usize {
    let is_hold = |row: &&Row| matches!(row.what, What::Hold | What::LastingHold);
    rows.iter().filter(is_hold).count()
}

fn waits(rows: &[Row]) -> usize {
    let is_wait = |row: &&Row| match row.what {
        What::Wait(outcome) => outcome == Outcome::Acquired,
        what => what == What::LastingWait,
    };
    rows.iter().filter(is_wait).count()
}

/// A thread that has the lock for a moment.
fn holder() -> JoinHandle<()> {
    thread::spawn(|| drop(LOCKS.key("0").lock()))
}

/// What was kept of it is gone with it.
fn assert_nothing_is_left() {
    let recording = begin().expect("nobody records");
    assert_eq!(holds(&end(recording)), 0);
}

#[test]
fn hold_against_end() {
    model(2, || {
        let recording = begin().expect("nobody records");
        let other = holder();
        drop(LOCKS.key("0").try_lock());
        let rows = end(recording);
        assert!((1..=2).contains(&holds(&rows)), "{rows:?}");
        other.join().unwrap();
        assert_nothing_is_left();
    });
}

#[test]
fn hold_against_part() {
    model(3, || {
        let mut recording = begin().expect("nobody records");
        let other = holder();
        let first = holds(&recording.part_by_now().rows);
        other.join().unwrap();
        assert_eq!(first + holds(&end(recording)), 1);
    });
}

/// A wait, of which its shard has kept until now that it was, takes no room.
#[test]
fn wait_before_recording() {
    model(1, || {
        // From then on somebody listens.
        end(begin().expect("nobody records"));
        let held = LOCKS.key("0").lock();
        let mut waiter = LOCKS.key("0").lock_async();
        assert!(poll_once(&mut waiter).is_pending());
        drop(held);
        drop(poll_once(&mut waiter));
        pass(PATIENCE);
        let recording = begin().expect("nobody records");
        looks::hand_on();
        let (kept, _) = recorder::take();
        assert_eq!(waits(&kept), 0, "{kept:?}");
        drop(recording);
    });
}

/// The lock is released to a waiter, which comes while the recording ends.
#[test]
fn wait_against_end() {
    model(2, || {
        let recording = begin().expect("nobody records");
        let held = LOCKS.key("0").lock();
        let mut waiter = LOCKS.key("0").lock_async();
        assert!(poll_once(&mut waiter).is_pending());
        drop(held);
        let other = thread::spawn(move || drop(poll_once(&mut waiter)));
        let rows = end(recording);
        assert_eq!(waits(&rows), 1, "{rows:?}");
        other.join().unwrap();
    });
}

/// The same while a part of it is taken out. Time passes, so the wait may end after that part does.
#[test]
fn wait_against_part() {
    model(2, || {
        let mut recording = begin().expect("nobody records");
        let held = LOCKS.key("0").lock();
        let mut waiter = LOCKS.key("0").lock_async();
        assert!(poll_once(&mut waiter).is_pending());
        drop(held);
        let other = thread::spawn(move || {
            pass(PATIENCE);
            drop(poll_once(&mut waiter));
        });
        let first = waits(&recording.part_by_now().rows);
        other.join().unwrap();
        let rows = end(recording);
        assert_eq!(first + waits(&rows), 1, "{rows:?}");
    });
}

/// Two who want to record, of whom one may come when the other has done. Says whether it could.
fn record() -> bool {
    let Some(recording) = begin() else {
        return false;
    };
    drop(LOCKS.key("0").lock());
    let rows = end(recording);
    assert_eq!(holds(&rows), 1);
    assert!(rows.iter().all(|row| row.record.owner == Owner::thread()));
    true
}

#[test]
fn recording_against_recording() {
    model(2, || {
        let other = thread::spawn(record);
        let own = record();
        assert!(other.join().unwrap() || own);
        assert_nothing_is_left();
    });
}

//! Waits for locks as metrics of the crate `metrics`, for whichever recorder the program has.
//!
//! They are those of [`Stats`](crate::Stats) as far as that has them by events, with dots in their names
//! and without the unit.

use super::listen::deafly;
use super::outcome::Outcome;
use crate::culprit::Culprit;
use crate::foreign;
use crate::table::identity::name_of;
use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// Calls the recorder.
fn record(call: impl FnOnce()) {
    deafly(|| foreign::contain(call));
}

fn text(holder: Option<Culprit>) -> String {
    holder.map_or_else(String::new, |holder| holder.to_string())
}

pub(crate) fn wait_begins(space: u64) {
    record(|| gauge!("lockutils.waiters", "space" => name_of(space)).increment(1));
}

pub(crate) fn wait_ends(space: u64, outcome: Outcome, time: Duration) {
    let space = name_of(space);
    record(|| {
        gauge!("lockutils.waiters", "space" => space).decrement(1);
        let labels = [("space", space), ("outcome", outcome.name())];
        histogram!("lockutils.wait.duration", &labels).record(time);
    });
}

/// A counter has whole numbers only, so this one is in nanoseconds.
pub(crate) fn blamed(space: u64, holder: Culprit, nanoseconds: u64) {
    record(|| {
        let site = holder.to_string();
        let counter = counter!("lockutils.waiter.time", "space" => name_of(space), "site" => site);
        counter.increment(nanoseconds);
    });
}

pub(crate) fn hand_over(space: u64, took: Duration) {
    record(|| {
        let histogram = histogram!("lockutils.handover.duration", "space" => name_of(space));
        histogram.record(took);
    });
}

pub(crate) fn spun(space: u64) {
    record(|| counter!("lockutils.spins", "space" => name_of(space)).increment(1));
}

pub(crate) fn refused(space: u64, holder: Option<Culprit>) {
    let (space, site) = (name_of(space), text(holder));
    record(|| counter!("lockutils.busy", "space" => space, "site" => site).increment(1));
}

pub(crate) fn held_long(space: u64, holder: Option<Culprit>) {
    let (space, site) = (name_of(space), text(holder));
    record(|| counter!("lockutils.long_holds", "space" => space, "site" => site).increment(1));
}

/// What a server was asked, and how long that took, or that it failed.
pub(crate) fn answered(space: u64, question: &'static str, took: Option<Duration>) {
    let space = name_of(space);
    record(|| {
        let labels = [("space", space), ("question", question)];
        match took {
            Some(took) => histogram!("lockutils.round_trip.duration", &labels).record(took),
            None => counter!("lockutils.round_trips_failed", &labels).increment(1),
        }
    });
}

pub(crate) fn lost(space: u64) {
    record(|| counter!("lockutils.leases_lost", "space" => name_of(space)).increment(1));
}

pub(crate) fn deadlocked(is_certain: bool) {
    let kind = if is_certain { "certain" } else { "suspected" };
    record(|| counter!("lockutils.deadlocks", "kind" => kind).increment(1));
}

pub(crate) fn misordered() {
    record(|| counter!("lockutils.lock_order_violations").increment(1));
}

//! What a lock costs that eight threads want all the time while their waits are listened to: counted, and told to
//! an observer; beside a bare `parking_lot` mutex.
//!
//! Measured in processes of their own, since a process can't stop listening.

use super::heard::Nothing;
use super::memory::figures;
use crate::contender::Column;
use crate::figure;
use crate::measure::{self, Plan};
use crate::rows;
use crate::target::{Reach, Target, Unit};
use lockutils::observe;

/// What the child is called.
pub(super) const HOT: &str = "hot";

/// Of one child.
const PLAN: Plan = Plan {
    rounds: 7,
    ..Plan::FULL
};

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let runs: Vec<_> = (0..plan.repeats).map(|_| figures(HOT)).collect();
    let column = |at: usize| -> Vec<f64> { runs.iter().map(|run| run[at]).collect() };
    let target = |waits, [bare, ours]: [usize; 2]| {
        let (bare, ours) = (column(bare), column(ours));
        Target {
            what: format!(
                "8 threads, one key, 40 ns inside, waits {waits}: lockutils, guard / bare parking_lot"
            ),
            reach: Reach::AtMost(2.0, Unit::Times),
            measured: measure::ratio(&ours, &bare),
            details: figure::compared(&ours, &bare),
        }
    };
    vec![
        target("counted", [0, 1]),
        target("told to an observer", [2, 3]),
    ]
}

/// Measures as a child, and prints the figures.
pub(super) fn in_child() {
    let _ = lockutils::stats();
    let [bare, counted] = lock();
    observe::set_observer(&Nothing).expect("nobody else is one");
    let [bare_again, observed] = lock();
    println!("{bare} {counted} {bare_again} {observed}");
}

/// How many nanoseconds the bare mutex takes, and ours.
fn lock() -> [f64; 2] {
    let measured = rows::busy("8 threads, one key, 40 ns inside", 8).measure(PLAN);
    [Column::ParkingLot, Column::Guard].map(|column| measure::median(measured.times_of(column)))
}

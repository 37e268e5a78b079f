//! How long it takes from a release in one process to when another one, which waits, has the
//! lock.
//!
//! The processes read a clock that they share, one just before it releases, the other as
//! soon as it has the lock. It is held for long enough that the other one waits: in the kernel,
//! or as oslo.concurrency does, which sleeps for longer and longer between its tries.

use super::{figure, holder, oslo};
use crate::figure;
use crate::measure::{self, Plan, Run};
use crate::target::{Reach, Target, Unit};
use lockutils_tests::{Directory, Process};
use std::thread;
use std::time::{Duration, Instant};

const HELD: Duration = Duration::from_millis(20);

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let directory = Directory::new();
    let mut ours = [holder(&directory), holder(&directory)];
    let mut runs: Vec<Run> = vec![Box::new(move |length| hand_overs(length, &mut ours))];
    if let (Some(first), Some(second)) = (oslo(&directory), oslo(&directory)) {
        let mut others = [first, second];
        runs.push(Box::new(move |length| hand_overs(length, &mut others)));
    }
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    let (ours, others) = (&times[0], &times[1..]);
    let mut targets = vec![Target {
        what: "lock file, hand-over between processes".to_owned(),
        reach: Reach::LessThan(200.0, Unit::Microseconds),
        measured: measure::median(ours) / 1e3,
        details: figure::spread(measure::noise(ours)),
    }];
    targets.extend(others.iter().map(|others| Target {
        what: "lock file, hand-over between processes: oslo.concurrency / lockutils".to_owned(),
        reach: Reach::AtLeast(20.0, Unit::Times),
        measured: measure::ratio(others, ours),
        details: figure::compared(others, ours),
    }));
    targets
}

/// The median of hand-overs for so long, in nanoseconds.
fn hand_overs(length: Duration, processes: &mut [Process; 2]) -> f64 {
    let end = Instant::now() + length;
    let mut times = Vec::new();
    while times.is_empty() || Instant::now() < end {
        let [first, second] = processes;
        first.ask_for("lock key", "held");
        second.tell("lock key");
        thread::sleep(HELD);
        let released = figure(&first.ask_for("release", "released"));
        let held = figure(&second.hear_of("held"));
        second.ask_for("release", "released");
        times.push(held - released);
    }
    measure::median(&times)
}

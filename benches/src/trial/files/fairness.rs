//! Which process gets how much of one lock file that is always wanted.
//!
//! As between threads, see [`fairness`](crate::trial::fairness).

use super::{holder, oslo};
use crate::figure;
use crate::measure::Plan;
use crate::target::{Reach, Target, Unit};
use crate::trial::fairness::{Shares, THREADS as PROCESSES, middle};
use lockutils_tests::{Directory, Process};
use std::time::Duration;

/// How long the lock is kept, in microseconds.
const HELD: u32 = 1000;

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let directory = Directory::new();
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for _ in 0..plan.repeats {
        let processes = [(); PROCESSES].map(|()| Some(holder(&directory)));
        ours.extend(shares(processes, plan.fairness_of_processes));
        let processes = [(); PROCESSES].map(|()| oslo(&directory));
        others.extend(shares(processes, plan.fairness_of_processes));
    }
    let ours = middle(ours);
    let others = if others.is_empty() {
        String::new()
    } else {
        let others = middle(others);
        let (most, fewest) = (others.most, others.fewest);
        let ratio = figure::times(others.ratio());
        format!("; oslo.concurrency {ratio}, {most} to {fewest}")
    };
    vec![Target {
        what: format!("lock file, fairness, {PROCESSES} processes, 1 ms held: most / fewest"),
        reach: Reach::AtMost(2.0, Unit::Times),
        measured: ours.ratio(),
        details: format!("{} to {} acquisitions{others}", ours.most, ours.fewest),
    }]
}

/// `None` where there is no such process.
fn shares(processes: [Option<Process>; PROCESSES], length: Duration) -> Option<Shares> {
    let mut processes: Vec<_> = processes.into_iter().collect::<Option<_>>()?;
    for (index, process) in processes.iter_mut().enumerate() {
        // All of them are up before the first begins.
        process.ask_for(&format!("lock {index}"), "held");
    }
    for process in &mut processes {
        process.tell(&format!("hog {} {HELD} key", length.as_millis()));
    }
    let took = processes.iter().map(|process| {
        let took = process.hear_of("done");
        took.parse().expect("a process gives numbers")
    });
    let took: Vec<u32> = took.collect();
    Some(Shares::of(took.try_into().expect("one of each")))
}

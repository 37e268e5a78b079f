//! Threads of one process that take one lock file at once, and how long another process
//! waits meanwhile.
//!
//! They may hand the kernel's lock on among themselves, until the kernel's clock ticks.

use super::holder;
use crate::contender::{Contender, Key};
use crate::figure;
use crate::measure::{self, Plan, Run};
use crate::subject::{FileGuard, GlobalGuard};
use crate::target::{Reach, Target, Unit};
use lockutils::FileLocks;
use lockutils_tests::Directory;
use nix::time::{ClockId, clock_getres};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const THREADS: usize = 8;

/// How often the other process takes the lock in a round.
const WAITS: usize = 20;

/// How long it stays away in between, in microseconds: from once to twice a tick on most
/// machines, so that it comes at any moment of one.
const APART: u32 = 4000;

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let directory = Directory::new();
    let key = Key::uuid(0);
    let files = || FileGuard(FileLocks::new(&*directory));
    let mut runs: [Run; 2] = [
        Box::new(move |length| measure::at_once(THREADS, length, work(&GlobalGuard, &key))),
        {
            let files = files();
            Box::new(move |length| measure::at_once(THREADS, length, work(&files, &key)))
        },
    ];
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    let waits = waits(&directory, &files(), &key, plan.rounds);
    let microseconds = |part| measure::quantile(&waits, part) / 1e3;
    vec![
        Target {
            what: format!("lock file, {THREADS} threads, one key: lock file / in-process lock"),
            reach: Reach::AtMost(3.0, Unit::Times),
            measured: measure::ratio(&times[1], &times[0]),
            details: figure::compared(&times[1], &times[0]),
        },
        Target {
            what: format!("lock file, {THREADS} threads: 9 of 10 waits of another process"),
            reach: Reach::AtMost(tick_microseconds(), Unit::Microseconds),
            measured: microseconds(0.9),
            details: format!(
                "the kernel's tick; half of them {:.0} µs, all {:.0} µs at most",
                microseconds(0.5),
                microseconds(1.0),
            ),
        },
    ]
}

/// How often the kernel's clock ticks.
fn tick_microseconds() -> f64 {
    let tick = clock_getres(ClockId::CLOCK_MONOTONIC_COARSE);
    let tick = Duration::from(tick.expect("the kernel has the clock"));
    tick.as_secs_f64() * 1e6
}

/// Takes and releases the lock until it is over.
fn work<C: Contender>(contender: &C, key: &Key) -> impl Fn(usize, &AtomicBool) -> u32 + Sync {
    move |_, over| {
        let mut acquisitions = 0;
        while acquisitions == 0 || !over.load(Ordering::Relaxed) {
            contender.locked(key, || ());
            acquisitions += 1;
        }
        acquisitions
    }
}

/// The nanoseconds that another process waits, each time, while the threads are at it.
fn waits(directory: &Directory, files: &FileGuard, key: &Key, rounds: usize) -> Vec<f64> {
    let mut other = holder(directory);
    let over = AtomicBool::new(false);
    let work = work(files, key);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (work, over) = (&work, &over);
            scope.spawn(move || work(thread, over));
        }
        let command = format!("waits {WAITS} {APART} {}", key.text);
        let waits = (0..rounds).flat_map(|_| {
            let waits = other.ask_for(&command, "waited");
            let waits = waits.split(' ').map(super::figure);
            waits.collect::<Vec<_>>()
        });
        let waits = waits.collect();
        over.store(true, Ordering::Relaxed);
        waits
    })
}

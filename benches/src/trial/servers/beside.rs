//! What is measured of each server, beside its client alone.
//!
//! This program has one core and the server another, since else the kernel moves both about, and a
//! round trip takes three times as long in one round as in the next.

use crate::figure;
use crate::measure::{self, Plan, Run};
use crate::target::{Reach, Target, Unit};
use lockutils::{Error, LeaseGuard};
use lockutils_tests::Process;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::cell::RefCell;
use std::env;
use std::process::Command;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

/// For how long a lock is held that another one waits for.
const HELD: Duration = Duration::from_millis(20);

/// Takes a lock, and gives what releases it, which waits for the server.
pub(super) type Take = Box<dyn FnMut() -> Box<dyn FnOnce()>>;

/// Starts something on a core of its own, and leaves this thread on another.
pub(super) fn apart<T>(start: impl FnOnce() -> T) -> (T, Pinned) {
    let before = sched_getaffinity(this()).ok();
    pin(1);
    let started = start();
    pin(0);
    (started, Pinned(before))
}

/// That this thread is pinned, until it is dropped.
pub(super) struct Pinned(Option<CpuSet>);

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = sched_setaffinity(this(), before);
        }
    }
}

/// Where there is one core, all have it.
fn pin(core: usize) {
    let mut cores = CpuSet::new();
    if cores.set(core).is_ok() {
        let _ = sched_setaffinity(this(), &cores);
    }
}

fn this() -> Pid {
    Pid::from_raw(0)
}

/// What a lock costs that nobody else wants, beside one round trip.
pub(super) fn uncontended(
    server: &str,
    mut raw: impl FnMut() + 'static,
    take: Take,
    plan: Plan,
) -> Vec<Target> {
    let take = Rc::new(RefCell::new(take));
    let acquire = Rc::clone(&take);
    let mut runs: [Run; 3] = [
        Box::new(move |length| each(length, || timed(&mut raw))),
        Box::new(move |length| {
            each(length, || {
                let start = Instant::now();
                let release = acquire.borrow_mut()();
                let acquired = start.elapsed();
                release();
                acquired
            })
        }),
        Box::new(move |length| each(length, || timed(|| take.borrow_mut()()()))),
    ];
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    let [raw, acquired, both] = [&times[0], &times[1], &times[2]];
    let more: Vec<f64> = acquired
        .iter()
        .zip(raw)
        .map(|(one, raw)| one - raw)
        .collect();
    vec![
        Target {
            what: format!("{server}, uncontended: what the caller waits for, beyond a round trip"),
            reach: Reach::AtMost(25.0, Unit::Microseconds),
            measured: measure::median(&more) / 1e3,
            details: figure::compared(acquired, raw),
        },
        Target {
            what: format!("{server}, uncontended: lock and release / a round trip"),
            reach: Reach::AtMost(2.1, Unit::Times),
            measured: measure::ratio(both, raw),
            details: figure::compared(both, raw),
        },
    ]
}

/// How long it takes from a release in one process to when another one has the lock, which waits: by
/// ours, and by what the client alone can do.
pub(super) fn hand_over(
    what: String,
    most: f64,
    ours: [Process; 2],
    alone: [Process; 2],
    plan: Plan,
) -> Target {
    let mut runs: Vec<Run> = Vec::new();
    for mut workers in [ours, alone] {
        runs.push(Box::new(move |length| {
            measure::median(&hand_overs(length, &mut workers))
        }));
    }
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    Target {
        what,
        reach: Reach::AtMost(most, Unit::Times),
        measured: measure::ratio(&times[0], &times[1]),
        details: figure::compared(&times[0], &times[1]),
    }
}

/// Two processes that take a lock in one of the ways of [`in_child`](super::in_child).
pub(super) fn workers(way: &str, url: &str) -> [Process; 2] {
    [(); 2].map(|()| {
        let program = env::current_exe().expect("a program has a path");
        let mut command = Command::new(program);
        Process::start(command.args(["--in-child", way, url]))
    })
}

/// Nanoseconds of a clock that all processes share.
pub(super) fn now() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every system has it");
    nanoseconds(Duration::from(time))
}

/// How long each of them took for so long, in nanoseconds.
pub(super) fn hand_overs(length: Duration, [first, second]: &mut [Process; 2]) -> Vec<f64> {
    let time = |text: String| text.parse::<f64>().expect("a process gives numbers");
    let end = Instant::now() + length;
    let mut times = Vec::new();
    while times.is_empty() || Instant::now() < end {
        first.ask_for("lock", "held");
        second.tell("lock");
        thread::sleep(HELD);
        let released = time(first.ask_for("release", "released"));
        let held = time(second.hear_of("held"));
        second.ask_for("release", "released");
        times.push(held - released);
    }
    times
}

/// How much of a core this process needs while it does nothing but hold locks, which have all been
/// renewed once. In the end they are released, and the connection is closed, so that nothing is left to do
/// while something else is measured.
pub(super) fn renewal(
    server: &str,
    holds: Vec<LeaseGuard>,
    close: impl FnOnce(Duration) -> Result<(), Error>,
    plan: Plan,
) -> Target {
    let many = holds.len();
    let last = holds.last().expect("there are some");
    let mut left = Duration::MAX;
    while last.valid_for() <= left {
        left = last.valid_for();
        thread::sleep(Duration::from_millis(10));
    }
    let cpu = || {
        let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID);
        Duration::from(time.expect("every process has one"))
    };
    let length = plan.fairness.max(Duration::from_secs(2));
    let before = cpu();
    thread::sleep(length);
    let used = cpu().saturating_sub(before);
    let part = used.as_secs_f64() / length.as_secs_f64();
    drop(holds);
    close(Duration::from_secs(60)).expect("the server answers");
    Target {
        what: format!("{server}, {many} holds: CPU of their renewal in a second"),
        reach: Reach::AtMost(10.0, Unit::Milliseconds),
        measured: part * 1e3,
        details: "one connection, leases of 3 s, after the first renewal".to_owned(),
    }
}

/// The median of calls for so long, in nanoseconds.
pub(super) fn each(length: Duration, mut call: impl FnMut() -> Duration) -> f64 {
    let end = Instant::now() + length;
    let mut times = Vec::new();
    while times.is_empty() || Instant::now() < end {
        times.push(nanoseconds(call()));
    }
    measure::median(&times)
}

pub(super) fn timed(call: impl FnOnce()) -> Duration {
    let start = Instant::now();
    call();
    start.elapsed()
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

//! What it costs a wait that somebody listens to it: with the counts alone, and with an observer.
//!
//! A task waits, the lock is released, and the task takes it, all by one thread: so no time is
//! the system's. Measured in processes of their own, as memory is, since a process can't stop listening.

use super::memory::figures;
use crate::contender::Key;
use crate::figure;
use crate::measure::{self, Plan};
use crate::target::{Reach, Target, Unit};
use lockutils::Locks;
use lockutils::observe::{self, Event, Observer};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Instant;

/// What the child is called.
pub(super) const WAITS: &str = "waits";

/// The middle one of so many times, each of so many waits.
const TIMES: usize = 31;
const WAITS_EACH: u32 = 5_000;

static LOCKS: Locks = Locks::new("heard");

/// Does nothing.
pub(super) struct Nothing;

impl Observer for Nothing {
    fn event(&self, event: &Event<'_>) {
        black_box(event);
    }
}

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let (mut alone, mut counted, mut observed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.repeats {
        let figures = figures(WAITS);
        alone.push(figures[0]);
        counted.push(figures[1]);
        observed.push(figures[2]);
    }
    let target = |with, times: &[f64]| Target {
        what: format!("a wait {with}: more than a wait that nobody listens to"),
        reach: Reach::AtMost(250.0, Unit::Nanoseconds),
        measured: measure::median(times) - measure::median(&alone),
        details: figure::compared(times, &alone),
    };
    vec![
        target("that is counted", &counted),
        target("that an observer is told of", &observed),
    ]
}

/// Measures as a child, and prints the figures.
pub(super) fn in_child() {
    let alone = wait();
    let _ = lockutils::stats();
    let counted = wait();
    observe::set_observer(&Nothing).expect("nobody else is one");
    let observed = wait();
    println!("{alone} {counted} {observed}");
}

/// How many nanoseconds a wait takes.
fn wait() -> f64 {
    let key = Key::uuid(0).text;
    let waits = |count: u32| (0..count).for_each(|_| wait_for(key));
    waits(WAITS_EACH);
    let times = [(); TIMES].map(|()| {
        let start = Instant::now();
        waits(WAITS_EACH);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(WAITS_EACH)
    });
    measure::median(&times)
}

/// A wait for the lock of a key.
pub(super) fn wait_for(key: &str) {
    let mut context = Context::from_waker(Waker::noop());
    let held = LOCKS.key(key).lock();
    let mut waiter = pin!(LOCKS.key(key).lock_async());
    assert!(waiter.as_mut().poll(&mut context).is_pending());
    drop(held);
    assert!(waiter.as_mut().poll(&mut context).is_ready());
}

#[cfg(test)]
mod tests {
    #[test]
    fn wait_takes_some_time() {
        assert!(super::wait() > 0.0);
    }
}

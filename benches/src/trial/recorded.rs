//! What a free lock costs while it is recorded: the average of many keys, of which all are, or one in
//! 128.
//!
//! Measured in processes of their own, since one that has recorded listens to waits from then on.

use super::memory::figures;
use crate::contender::Key;
use crate::figure;
use crate::measure::{self, Plan};
use crate::target::{Reach, Target, Unit};
use lockutils::Locks;
use lockutils::observe::{self, RecordOptions};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// What the child is called.
pub(super) const RECORDED: &str = "recorded";

const KEYS: usize = 4096;

/// The middle one of so many times, in each of which every key is taken once.
const TIMES: usize = 101;

/// How long a recording lasts that is measured, and how long it has to begin.
const RECORDING: Duration = Duration::from_secs(2);
const BEGIN: Duration = Duration::from_millis(200);

static LOCKS: Locks = Locks::new("recorded");

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let (mut alone, mut some, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.repeats {
        let figures = figures(RECORDED);
        alone.push(figures[0]);
        some.push(figures[1]);
        all.push(figures[2]);
    }
    let target = |keys, times: &[f64], most| Target {
        what: format!("a free lock while {keys} recorded, to one that isn't"),
        reach: Reach::AtMost(most, Unit::Times),
        measured: measure::median(times) / measure::median(&alone),
        details: figure::compared(times, &alone),
    };
    vec![
        target("one key in 128 is", &some, 1.1),
        target("all keys are", &all, 15.0),
    ]
}

/// Measures as a child, and prints the figures.
pub(super) fn in_child() {
    let keys: Vec<_> = (0..KEYS).map(|number| Key::uuid(number).text).collect();
    let alone = lock(&keys);
    let [some, all] = [128, 1].map(|one_in| {
        let options = RecordOptions::default().lasting(RECORDING).one_in(one_in);
        thread::scope(|scope| {
            let recording = scope.spawn(move || observe::record(io::sink(), &options));
            thread::sleep(BEGIN);
            let time = lock(&keys);
            assert!(!recording.is_finished(), "the machine is too slow");
            time
        })
    });
    println!("{alone} {some} {all}");
}

/// How many nanoseconds a key takes, on average.
fn lock(keys: &[&str]) -> f64 {
    let times = [(); TIMES].map(|()| {
        let start = Instant::now();
        for key in keys {
            drop(LOCKS.key(*key).lock());
        }
        #[expect(clippy::cast_precision_loss, reason = "they are few")]
        let count = keys.len() as f64;
        start.elapsed().as_secs_f64() * 1e9 / count
    });
    measure::median(&times)
}

#[cfg(test)]
mod tests {
    #[test]
    fn lock_takes_some_time() {
        assert!(super::lock(&["a", "b"]) > 0.0);
    }
}

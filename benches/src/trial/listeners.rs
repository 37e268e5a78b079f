//! How much memory it takes to listen: with the counts alone after a million keys were waited for, and while
//! locks are recorded.
//!
//! Measured in processes of their own, as the [memory](super::memory) of locks is.

use super::heard::wait_for;
use super::memory::figures;
use crate::contender::UuidText;
use crate::counting;
use crate::measure::{self, Plan};
use crate::target::{Reach, Target, Unit};
use lockutils::observe::{self, RecordOptions};
use std::fmt::Write as _;
use std::io;
use std::thread;
use std::time::Duration;

/// What the child is called.
pub(super) const LISTENED: &str = "listened";

const KEYS: usize = 1_000_000;

/// How long a recording lasts. It is full before that.
const RECORDING: Duration = Duration::from_secs(2);

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let runs: Vec<_> = (0..plan.repeats).map(|_| figures(LISTENED)).collect();
    let target = |what: &str, most, at: usize| Target {
        what: what.to_owned(),
        reach: Reach::AtMost(most, Unit::KiB),
        measured: measure::median(&runs.iter().map(|run| run[at]).collect::<Vec<_>>()),
        details: "live bytes of the allocator".to_owned(),
    };
    vec![
        target(
            "memory of the counts after waits for 1,000,000 keys",
            1024.0,
            0,
        ),
        target("memory of a recording, with what it draws", 4096.0, 1),
    ]
}

/// Measures as a child, and prints the figures.
pub(super) fn in_child() {
    wait_for("0"); // By then all that each process needs is there.
    counting::start();
    let _ = lockutils::stats();
    let mut text = String::new();
    let mut wait = |number: usize| {
        text.clear();
        write!(text, "{}", UuidText(number)).expect("a string takes all");
        wait_for(&text);
    };
    (0..KEYS).for_each(&mut wait);
    let counted = counting::live_bytes();
    let options = RecordOptions::default().lasting(RECORDING);
    let recording = thread::spawn(move || observe::record(io::sink(), &options));
    let mut most = 0;
    for number in (0..KEYS).cycle() {
        if recording.is_finished() {
            break;
        }
        wait(number);
        most = most.max(counting::live_bytes() - counted);
    }
    println!("{} {}", kib(counted), kib(most));
}

fn kib(bytes: isize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "they are few")]
    let bytes = bytes as f64;
    bytes / 1024.0
}

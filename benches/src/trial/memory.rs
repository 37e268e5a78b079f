//! What a million keys cost in memory, and in time when all are held at once.
//!
//! Measured in processes of their own, whose memory nothing else has changed: the program
//! starts itself with `--in-child NAME`, and the child prints its figures in a line.

use crate::contender::UuidText;
use crate::counting;
use crate::figure;
use crate::measure::{self, Plan};
use crate::target::{Reach, Target, Unit};
use std::fmt::Write as _;
use std::hint::black_box;
use std::ops::Range;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs};

const KEYS: u32 = 1_000_000;

/// By then all that grows once has grown.
const FIRST: u32 = 10_000;

const LET_GO: &str = "let-go";
const HELD: &str = "held";

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let mut targets = Vec::new();
    let grown: Option<Vec<_>> = (0..plan.repeats)
        .map(|_| figures(LET_GO).first().copied())
        .collect();
    // Not on systems that don't say how much of a process is in memory.
    if let Some(grown) = grown {
        targets.push(Target {
            what:
                "1,000,000 keys used and let go: growth of resident memory after the first 10,000"
                    .to_owned(),
            reach: Reach::LessThan(1024.0, Unit::KiB),
            measured: measure::median(&grown),
            details: "each by a thread, a task and two shared holders".to_owned(),
        });
    }
    let (mut bytes, mut each, mut uncontended) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.repeats {
        let figures = figures(HELD);
        bytes.push(figures[0]);
        each.push(figures[1]);
        uncontended.push(figures[2]);
    }
    targets.push(Target {
        what: "1,000,000 keys held at once: bytes a key, beyond the guard".to_owned(),
        reach: Reach::AtMost(150.0, Unit::Bytes),
        measured: measure::median(&bytes),
        details: "live bytes of the allocator".to_owned(),
    });
    targets.push(Target {
        what: "1,000,000 keys held at once: acquiring, to one key acquired and released".to_owned(),
        reach: Reach::AtMost(10.0, Unit::Times),
        measured: measure::ratio(&each, &uncontended),
        details: figure::compared(&each, &uncontended),
    });
    targets
}

/// What a child measures.
pub(super) fn figures(name: &str) -> Vec<f64> {
    let program = env::current_exe().expect("a program has a path");
    let child = Command::new(program)
        .args(["--in-child", name])
        .stderr(Stdio::inherit())
        .output()
        .expect("the program can start itself");
    assert!(child.status.success(), "the child `{name}` failed");
    let text = String::from_utf8(child.stdout).expect("a child prints text");
    text.split_whitespace()
        .map(|figure| figure.parse().expect("a child prints numbers"))
        .collect()
}

/// Measures as a child, and prints the figures.
///
/// # Errors
///
/// If there is no such measurement.
pub(crate) fn in_child(name: &str) -> Result<(), String> {
    match name {
        LET_GO => {
            if let Some(grown) = let_go() {
                println!("{grown}");
            }
        }
        HELD => {
            let [bytes, each, uncontended] = held();
            println!("{bytes} {each} {uncontended}");
        }
        _ => return Err(format!("there is no measurement `{name}`")),
    }
    Ok(())
}

/// By how many KiB the process grows when it uses many keys, one after the other.
fn let_go() -> Option<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without drivers needs nothing");
    let mut text = String::new();
    let mut use_all = |keys: Range<u32>| {
        for key in keys {
            text.clear();
            write!(text, "{}", UuidText(key as usize)).expect("a string takes all");
            drop(lockutils::lock(&text));
            drop(runtime.block_on(lockutils::lock_async(&text)));
            let key = lockutils::global().key(&text).shared();
            let _both = (key.lock(), key.lock());
        }
    };
    use_all(0..FIRST);
    let before = resident_kib()?;
    use_all(FIRST..FIRST + KEYS);
    Some(resident_kib()? - before)
}

/// How much of the process is in memory, to the page: the kernel's other figures lag.
fn resident_kib() -> Option<f64> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = rollup.lines().find(|line| line.starts_with("Rss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The bytes a key and the nanoseconds an acquisition when many keys are held, and the
/// nanoseconds to acquire and release one.
fn held() -> [f64; 3] {
    let texts: Vec<_> = (0..KEYS)
        .map(|key| UuidText(key as usize).to_string())
        .collect();
    let mut guards = Vec::with_capacity(texts.len());
    let each = |started: Instant| started.elapsed().as_secs_f64() * 1e9 / f64::from(KEYS);

    let started = Instant::now();
    for _ in 0..KEYS {
        drop(lockutils::lock(black_box(&texts[0])));
    }
    let uncontended = each(started);

    counting::start();
    let started = Instant::now();
    for text in &texts {
        guards.push(lockutils::lock(text));
    }
    let acquired = each(started);
    let bytes = counting::live_bytes();
    drop(guards);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a process has fewer bytes than that"
    )]
    let bytes = bytes as f64 / f64::from(KEYS);
    [bytes, acquired, uncontended]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn resident_memory_counts_what_was_touched() {
        let before = resident_kib().unwrap();
        let touched = black_box(vec![1_u8; 32 << 20]);
        let grown = resident_kib().unwrap() - before;
        assert!(grown > 16.0 * 1024.0, "{grown}");
        drop(touched);
    }

    #[test]
    fn unknown_measurements_are_errors() {
        assert!(in_child("unknown").is_err());
    }
}

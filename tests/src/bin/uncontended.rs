//! Takes and lets go locks that nobody else wants, for tests that watch from outside.
//!
//! Run by the tests of `uncontended.rs`. Each case stands between two system calls
//! that name it. With the argument `blind` the process is one that the kernel kills
//! when it reads the clock; with `control` there is one more case, which does what no
//! other is to do: a system call, and a look at the clock.

#![forbid(unsafe_code)]

use lockutils_tests::uncontended::{BEYOND, BEYOND_ROUNDS, CASES, ROUNDS};
use std::time::Instant;
use std::{env, fs, hint, thread};

fn main() {
    let has = |argument| env::args().any(|given| given == argument);
    // The first use in a process draws a seed, and numbers for its spaces and threads. The
    // first times beyond the fast path it gets memory from the system, which it keeps.
    for (_, case) in CASES.iter().chain(BEYOND) {
        between_marks("first use", || (0..BEYOND_ROUNDS).for_each(|_| case()));
    }
    if has("blind") {
        go_blind();
    }
    for (cases, rounds) in [(CASES, ROUNDS), (BEYOND, BEYOND_ROUNDS)] {
        for (name, case) in cases {
            between_marks(name, || (0..rounds).for_each(|_| case()));
        }
    }
    if has("control") {
        between_marks("control", control);
    }
}

fn control() {
    thread::yield_now();
    hint::black_box(Instant::now());
}

/// A look at a file that isn't there: nothing happens, and it is seen from outside.
fn between_marks(name: &str, case: impl FnOnce()) {
    let [begin, end] = ["begin", "end"].map(|mark| format!("/lockutils/{mark}/{name}"));
    let _ = fs::exists(begin);
    case();
    let _ = fs::exists(end);
}

/// The clock is read without a system call, from the processor's time stamp counter.
/// The kernel can make that a fault.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn go_blind() {
    use rustix::process::{TimeStampCounterReadability, set_time_stamp_counter_readability};
    set_time_stamp_counter_readability(TimeStampCounterReadability::RaiseSIGSEGV)
        .expect("x86 processors have the counter");
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn go_blind() {}

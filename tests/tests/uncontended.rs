//! A lock that nobody else wants is taken and let go without a system call or a look at the
//! clock, and on the fast path without an allocation.
//!
//! In a binary of its own, since it counts what its allocator does. For the rest it runs
//! the program `uncontended` and watches it from outside: with `strace`, which shows
//! the system calls; and with the processor's time stamp counter made a fault, since the
//! clock is read from that, without a system call. Where the clock comes from elsewhere,
//! reading it is a system call. Each watch is shown to see what it watches for.

#![forbid(unsafe_code)]

use lockutils::Locks;
use lockutils_tests::skip;
use lockutils_tests::uncontended::{BEYOND, CASES, ROUNDS};
use std::hint::black_box;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_uncontended");

fn assert_success(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
}

#[test]
fn lock_on_the_fast_path_allocates_nothing() {
    let count = |case: fn()| {
        let rounds = || (0..ROUNDS).for_each(|_| case());
        allocation_counter::measure(rounds).count_total
    };
    assert_eq!(count(|| drop(black_box(Box::new(7)))), u64::from(ROUNDS));
    for (name, case) in CASES {
        case(); // The first use in a process draws a seed and some numbers.
        assert_eq!(count(*case), 0, "{name}");
    }
}

/// Keys that are taken together are on the fast path unless two of them are in one bucket, which
/// of two keys one pair in 4096 is.
#[test]
fn two_keys_allocate_nothing_and_eight_hold_nothing_on_the_heap() {
    const PAIRS: u64 = 16;
    static LOCKS: Locks = Locks::new("uncontended, several");
    let count = |take: &dyn Fn()| {
        take();
        allocation_counter::measure(take).count_total
    };
    let two = |n| count(&|| drop(black_box(LOCKS.keys([n, n + 1]).lock())));
    let allocating = (0..PAIRS).filter(|n| two(2 * n) > 0).count();
    assert!(allocating <= 3, "{allocating} of {PAIRS} pairs");
    // The list of the keys, which the handle has.
    let eight = |n| count(&|| drop(black_box(LOCKS.keys(n..n + 8).lock())));
    let allocating = (0..PAIRS).filter(|n| eight(8 * n) > 1).count();
    assert!(allocating <= 3, "{allocating} of {PAIRS} times eight");
}

#[test]
fn uncontended_lock_makes_no_system_call() {
    let file = format!("{}/uncontended.strace", env!("CARGO_TARGET_TMPDIR"));
    let strace = Command::new("strace")
        .args(["-f", "-o", &file, PROGRAM, "control"])
        .output();
    let output = match strace {
        Ok(output) => output,
        Err(error) => return skip(&format!("no strace here: {error}")),
    };
    if String::from_utf8_lossy(&output.stderr).contains("Operation not permitted") {
        return skip("strace may not trace here");
    }
    assert_success(&output);
    let trace = std::fs::read_to_string(file).unwrap();
    let calls_in = |case: &str| -> Vec<&str> {
        let is_mark = |mark, line: &str| line.contains(&format!("\"/lockutils/{mark}/{case}\""));
        let mut lines = trace.lines();
        assert!(lines.any(|line| is_mark("begin", line)), "{case} has run");
        lines.take_while(|line| !is_mark("end", line)).collect()
    };
    for (name, _) in CASES.iter().chain(BEYOND) {
        assert_eq!(calls_in(name), [""; 0], "{name}");
    }
    let control = calls_in("control");
    assert!(
        control.iter().any(|line| line.contains("sched_yield")),
        "{control:?}"
    );
}

#[test]
fn uncontended_lock_reads_no_clock() {
    let run = |arguments: &[&str]| Command::new(PROGRAM).args(arguments).output().unwrap();
    if run(&["blind", "control"]).status.success() {
        return skip("here the clock is not read from a counter that can be made a fault");
    }
    assert_success(&run(&["blind"]));
}

//! Locks that are taken in two orders are told in one run, though the two never meet.
//!
//! In a binary of its own, since what is done about them is said for the process: a panic. Each test has
//! spaces of its own.

#![forbid(unsafe_code)]

mod environment;
mod keys;
mod outside;
mod spaces;
mod told;

use lockutils::observe::{LockOrderAction, lock_order};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread;

/// Has whoever takes locks in a second order panic.
fn watch() {
    static SET: Once = Once::new();
    SET.call_once(|| lock_order(LockOrderAction::Panic));
}

/// What a thread with a name panics with; nothing if it doesn't.
fn panic_of(name: &str, run: impl FnOnce() + Send) -> Option<String> {
    watch();
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(name.to_owned());
        let run = || catch_unwind(AssertUnwindSafe(run));
        let result = thread.spawn_scoped(scope, run).unwrap().join().unwrap();
        Some(*result.err()?.downcast::<String>().unwrap())
    })
}

/// Runs in a thread of its own, without a panic.
fn run(run: impl FnOnce() + Send) {
    assert_eq!(panic_of("in order", run), None);
}

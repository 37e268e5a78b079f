//! Lock files.

mod conformance;
mod crowd;
mod death;
mod default;
mod error;
mod fairness;
mod inspection;
mod oslo;
mod removal;
mod replaced;
mod task;

use lockutils_tests::Process;
use std::path::Path;

/// The program of the other processes.
const HOLDER: &str = env!("CARGO_BIN_EXE_holder");

/// A process that is told what to lock in a directory.
fn holder(directory: &Path) -> Process {
    Process::holder(HOLDER, directory)
}

/// One of a line's numbers.
fn number(text: &str) -> u64 {
    text.parse().unwrap()
}

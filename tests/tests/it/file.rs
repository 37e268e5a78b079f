//! Lock files.

mod conformance;
mod crowd;
mod death;
mod default;
mod error;
mod fairness;
mod inspection;
mod names;
mod oslo;
mod removal;
mod replaced;
mod task;
mod users;

use lockutils_tests::{Process, as_nobody};
use std::path::Path;

/// The program of the other processes.
const HOLDER: &str = env!("CARGO_BIN_EXE_holder");

/// A process that is told what to lock in a directory.
fn holder(directory: &Path) -> Process {
    Process::holder(HOLDER, directory)
}

/// Another user's process, see [`as_nobody`].
fn nobody(directory: &Path) -> Process {
    as_nobody(HOLDER, |command| {
        Process::start(command.arg(directory).arg(""))
    })
}

/// One of a line's numbers.
fn number(text: &str) -> u64 {
    text.parse().unwrap()
}

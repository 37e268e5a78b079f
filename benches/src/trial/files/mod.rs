//! What lock files cost, within a process and between processes.
//!
//! The other processes are children of this program, which obey the commands of the tests'
//! `holder`; and where there is a Python with oslo.concurrency, that takes part as well, with
//! the same commands.

pub(super) mod fairness;
pub(super) mod hand_over;
pub(super) mod keys;
pub(super) mod threads;
pub(super) mod uncontended;

use lockutils::FileLocks;
use lockutils_tests::Process;
use std::env;
use std::path::Path;
use std::process::Command;

pub(super) const HOLDER: &str = "holder";

/// A process that locks files as we do.
fn holder(directory: &Path) -> Process {
    let program = env::current_exe().expect("a program has a path");
    let mut command = Command::new(program);
    command.args(["--in-child", HOLDER]).arg(directory);
    Process::start(&mut command)
}

/// One that does as oslo.concurrency does.
fn oslo(directory: &Path) -> Option<Process> {
    Process::python(directory, "oslo")
}

/// Obeys, as a child.
pub(super) fn in_child(directory: &str) {
    lockutils_tests::obey(&FileLocks::new(directory));
}

/// A figure that a process gives.
fn figure(text: &str) -> f64 {
    text.parse().expect("a process gives numbers")
}

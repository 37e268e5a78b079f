//! Lock files.

mod across;
mod conformance;
mod crowd;
mod death;
mod default;
mod error;
mod fairness;
mod file_system;
mod inspection;
mod names;
#[cfg(not(lockutils_portable))]
mod oslo;
mod removal;
mod replaced;
mod task;
mod threads;
mod users;
mod waiters;

use lockutils_tests::{Process, as_nobody, skip};
use std::path::Path;
use std::process::{Command, Stdio};

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

/// A process whose system calls `strace` watches or changes, by these options; `None` if it
/// can't.
fn under_strace(options: &[&str], directory: &Path) -> Option<Process> {
    if Command::new("strace").arg("-V").output().is_err() {
        skip("no strace here");
        return None;
    }
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-f"]).args(options).arg(HOLDER);
    let strace = strace.arg(directory).arg("").stderr(Stdio::null());
    let mut process = Process::start(strace);
    process.tell("keep 0");
    if process.hear().is_none() {
        skip("strace may not trace here");
        return None;
    }
    Some(process)
}

/// One of a line's numbers.
fn number(text: &str) -> u64 {
    text.parse().unwrap()
}

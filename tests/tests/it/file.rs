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
mod users;

use lockutils_tests::{Directory, Process};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// The program of the other processes.
const HOLDER: &str = env!("CARGO_BIN_EXE_holder");

/// A process that is told what to lock in a directory.
fn holder(directory: &Path) -> Process {
    Process::holder(HOLDER, directory)
}

/// Somebody who isn't root and owns nothing.
const NOBODY: u32 = 65534;

/// Another user's process, where the tests are root's; else one that is as any of the user's.
fn nobody(directory: &Path) -> Process {
    // Where the program is, nobody may not be able to go.
    let programs = Directory::new();
    fs::set_permissions(&*programs, Permissions::from_mode(0o755)).unwrap();
    let program = programs.join("holder");
    fs::copy(HOLDER, &program).unwrap();
    let mut command = Command::new(&program);
    command.arg(directory).arg("");
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Process::start(&mut command)
}

/// One of a line's numbers.
fn number(text: &str) -> u64 {
    text.parse().unwrap()
}

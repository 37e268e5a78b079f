//! Other processes.

use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;

/// Nanoseconds of a clock that all processes of the machine share.
#[must_use]
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    part(now.tv_sec) * 1_000_000_000 + part(now.tv_nsec)
}

/// A process that is told what to do line by line, and answers so. Killed when this is
/// dropped.
#[derive(Debug)]
pub struct Process(lockutils_conformance::Process);

impl Process {
    /// Starts a program.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self(lockutils_conformance::Process::start(command))
    }

    /// Starts the program `holder`, on a directory without a prefix.
    #[must_use]
    pub fn holder(program: &str, directory: &Path) -> Self {
        Self::start(Command::new(program).arg(directory).arg(""))
    }

    /// Whether it waits for a lock in the kernel.
    ///
    /// # Panics
    ///
    /// If the system doesn't tell.
    #[must_use]
    pub fn waits_in_kernel(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id()));
        tasks.expect("it runs").flatten().any(|task| {
            let call = std::fs::read_to_string(task.path().join("syscall"));
            call.is_ok_and(|call| is_wait(&call))
        })
    }

    /// Sends it a signal.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("an id"), signal).expect("it runs");
    }

    /// Stops it, and waits until it has stopped.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        self.until_stopped();
    }
}

/// Whether a line of `/proc/PID/syscall` is that of `fcntl(_, F_OFD_SETLKW, _)`, or of `flock`.
fn is_wait(call: &str) -> bool {
    const CALLS: [&str; 2] = if cfg!(target_arch = "x86_64") {
        ["72", "73"]
    } else {
        ["25", "32"]
    };
    let mut words = call.split(' ');
    match words.next() {
        Some(call) if call == CALLS[0] => words.nth(1) == Some("0x26"),
        call => call == Some(CALLS[1]),
    }
}

impl Deref for Process {
    type Target = lockutils_conformance::Process;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

//! Other processes.

use crate::{LIMIT, eventually};
use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

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
pub struct Process {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    /// Starts a program.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            input,
            lines,
        }
    }

    /// Starts the program `holder`, on a directory without a prefix.
    #[must_use]
    pub fn holder(program: &str, directory: &Path) -> Self {
        Self::start(Command::new(program).arg(directory).arg(""))
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Gives it a command.
    pub fn tell(&mut self, command: &str) {
        // One that has been killed doesn't listen.
        let _ = writeln!(self.input, "{command}");
    }

    /// Its next line; `None` when it has ended.
    ///
    /// # Panics
    ///
    /// If it says nothing for too long.
    #[must_use]
    pub fn hear(&self) -> Option<String> {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("a process says nothing"),
        }
    }

    /// Gives it a command and waits for the answer.
    ///
    /// # Panics
    ///
    /// If it has ended.
    #[must_use]
    pub fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.hear().expect("an answer")
    }

    /// Gives it a command, and waits for an answer that begins so; gives the rest of it.
    ///
    /// # Panics
    ///
    /// If the answer is another one.
    pub fn ask_for(&mut self, command: &str, beginning: &str) -> String {
        self.tell(command);
        self.hear_of(beginning)
    }

    /// Waits for a line that begins so; gives the rest of it.
    ///
    /// # Panics
    ///
    /// If the line is another one.
    #[expect(
        clippy::must_use_candidate,
        reason = "it is called to wait for the line"
    )]
    pub fn hear_of(&self, beginning: &str) -> String {
        let answer = self.hear().expect("an answer");
        let rest = answer.strip_prefix(beginning);
        let rest = rest.unwrap_or_else(|| panic!("{beginning:?} was expected: {answer}"));
        rest.trim_start().to_owned()
    }

    /// Whether it has said nothing that wasn't heard yet.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.lines.try_recv().is_err()
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

    /// Stops it, and waits until it has stopped: before that it may still be given a lock.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        eventually("it stops", || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()));
            // Its state comes after its name, which is in brackets.
            stat.is_ok_and(|stat| stat.contains(") T "))
        });
    }

    /// Kills it, and waits until it is dead.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Waits until it has ended by itself, and says how.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn end(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("it ends")
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

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

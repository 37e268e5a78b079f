//! A process that doesn't outlive the test.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lockutils_conformance::{eventually, is_stopped, thread_states};
use rustix::process::{Pid, Signal, kill_process};

/// Reads until the test closes its end, which it does at the latest when it dies. The children of a
/// process may be in sessions of their own.
const GUARD: &str = r#"
read -r _
children=$(cat "/proc/$1/task/$1/children" 2>/dev/null)
kill -s KILL "$1" $children 2>/dev/null
rm -rf "$2"
"#;

/// A running process, and the guard that ends it if the test can't.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    guard: Guard,
}

/// A shell that removes a directory, and kills a process before, when the test is gone.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    pub(crate) fn new(process: Option<u32>, directory: &Path) -> Self {
        let child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(process.map_or_else(String::new, |process| process.to_string()))
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the keyboard is not for it.
            .process_group(0)
            .spawn()
            .expect("`sh` can be run");
        Self(child)
    }

    /// Lets it do nothing.
    fn dismiss(&mut self) {
        self.0.kill().expect("it is a child of this process");
        self.0.wait().expect("it is a child of this process");
    }
}

impl Process {
    /// Starts it, with its output at the end of `log` in the directory.
    pub(crate) fn spawn(mut command: Command, directory: &Path) -> Self {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(directory.join("log"))
            .expect("the directory can be written");
        let child = command
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a file"))
            .stdout(log)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
        let guard = Guard::new(Some(child.id()), directory);
        Self { child, guard }
    }

    /// Whether it runs, or is stopped.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends the signal to the process, then to its children.
    pub(crate) fn signal(&self, signal: Signal) {
        for process in self.family() {
            send(process, signal);
        }
    }

    /// Kills it and its children, and waits until they are gone.
    pub(crate) fn kill(mut self) {
        // So that it has no other child meanwhile, and none of them does anything because another one is
        // gone: of PostgreSQL they would free their locks and give them to others for a moment.
        self.stop();
        let family = self.family();
        self.guard.dismiss();
        for process in &family {
            send(*process, Signal::KILL);
        }
        self.child.wait().expect("it is a child of this process");
        eventually("it is gone", || {
            !family.iter().any(|process| runs(*process))
        });
    }

    /// Stops it and its children, and waits until they are: each of their threads goes on until the kernel
    /// comes to it, which may take a while on a busy machine.
    pub(crate) fn stop(&self) {
        // Again for children that it made meanwhile.
        for _ in 0..2 {
            self.signal(Signal::STOP);
            eventually("it is stopped", || {
                self.family().into_iter().all(is_stopped)
            });
        }
    }

    /// The process, and its children.
    fn family(&self) -> Vec<u32> {
        let parent = self.child.id();
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
        let children = children.unwrap_or_default();
        let children = children
            .split_whitespace()
            .map_while(|child| child.parse().ok());
        [parent].into_iter().chain(children).collect()
    }
}

/// One that is gone already is none of the test's business.
fn send(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    let _ = kill_process(process.expect("the number of a process"), signal);
}

/// Whether it is there, and more than what is left for its parent to see.
fn runs(process: u32) -> bool {
    let states = thread_states(process);
    states.iter().any(|state| !matches!(state, b'Z' | b'X'))
}

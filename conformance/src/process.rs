//! Other processes, told what to do line by line.

use crate::limit::{LIMIT, eventually};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

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
        Self::start_marked(command, "")
    }

    /// Starts a program whose lines count only where they begin with a mark, which is taken off.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn start_marked(command: &mut Command, mark: &'static str) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let Some(line) = line.strip_prefix(mark) else {
                    continue;
                };
                if send.send(line.to_owned()).is_err() {
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

    /// Waits until it stands still, after SIGSTOP was sent to it: on a busy machine it may go on for a while, and
    /// be given a lock.
    ///
    /// # Panics
    ///
    /// If it doesn't stop.
    pub fn until_stopped(&self) {
        eventually("it stops", || is_stopped(self.id()));
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
    pub fn end(&mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }
}

/// Whether no thread of a process goes on.
#[must_use]
pub fn is_stopped(process: u32) -> bool {
    let states = thread_states(process);
    let goes_on = |state| !matches!(state, &b'T' | b't' | b'Z' | b'X');
    !states.iter().any(goes_on)
}

/// What each thread of a process does, by its letter in `ps`. None if the process is gone, or the system has no
/// `/proc`.
#[must_use]
pub fn thread_states(process: u32) -> Vec<u8> {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    let state = |thread: fs::DirEntry| {
        let stat = fs::read_to_string(thread.path().join("stat")).ok()?;
        // The name before it is in brackets, and may have some.
        let (_, rest) = stat.rsplit_once(')')?;
        rest.trim_start().as_bytes().first().copied()
    };
    let threads = threads.into_iter().flatten().flatten();
    threads.filter_map(state).collect()
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A second process, which can tell whether a signal was sent to us alone.
//!
//! A signal that is for the whole process group, as Ctrl-C, `kill -- -GROUP` and the
//! `kill %1` of a shell send it, or for each process of a service, as systemd sends it when it
//! ends one, comes to the command without us, and must not be passed on. To the one who gets
//! it, it looks the same. So a second process of this program is where the command is, in the
//! same group and the same control group, does nothing, and is asked: what it has got as well,
//! by the same sender, the command has got too.
//!
//! A group that is the command's own would keep Ctrl-C and Ctrl-Z from the others of a pipe or
//! a script, and `kill -9 -- -GROUP` from the command; and systemd doesn't go by groups.

use crate::signal;
use anyhow::{Context as _, Result};
use nix::sys::signal::Signal::{SIGTSTP, SIGTTIN, SIGTTOU};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::low_level::siginfo::Origin;
use std::collections::HashSet;
use std::env;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

/// The name by which it is started. `pkill -f lockutils` is to reach the command by us, and
/// so must not reach this one.
pub(crate) const NAME: &str = "signal-witness";

/// Without one, nothing was sent to more than us.
pub(crate) struct Witness(Option<Asked>);

struct Asked {
    process: Child,
    questions: ChildStdin,
    answers: ChildStdout,
}

/// A signal's number and its sender, and the answer.
type Question = [u8; 8];
type Answer = [u8; 1];

/// This program, in another role.
pub(crate) fn oneself(role: &str) -> Command {
    let program = if cfg!(target_os = "linux") {
        // Also if there is a newer one at its path by now.
        PathBuf::from("/proc/self/exe")
    } else {
        env::current_exe().unwrap_or_else(|_| "lockutils".into())
    };
    let mut command = Command::new(program);
    command.arg0(role);
    command
}

impl Witness {
    /// Starts one. The caller listens to the signals already, so that it has none
    /// that came to both before.
    pub(crate) fn start() -> Result<Self> {
        let mut command = oneself(NAME);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let started = signal::blocked(|| command.spawn()).context("can't block signals")?;
        Ok(Self(started.ok().and_then(|mut process| {
            let questions = process.stdin.take()?;
            let answers = process.stdout.take()?;
            Some(Asked {
                process,
                questions,
                answers,
            })
        })))
    }

    /// Whether a signal came to more than us.
    pub(crate) fn has_it_too(&mut self, origin: &Origin) -> bool {
        let Some(asked) = &mut self.0 else {
            return false;
        };
        let answer = asked.ask(question(origin));
        if answer.is_err() {
            // Somebody has killed it.
            self.0 = None;
        }
        answer.is_ok_and(|answer| answer != [0])
    }
}

impl Asked {
    fn ask(&mut self, question: Question) -> io::Result<Answer> {
        self.questions.write_all(&question)?;
        // It may have been stopped with the group, and we alone continued.
        kill_process(Pid::from_child(&self.process), Signal::CONT)?;
        let mut answer = Answer::default();
        self.answers.read_exact(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some(asked) = &mut self.0 {
            // So that nothing of what it has inherited, as the caller's files, outlives us.
            let _ = asked.process.kill();
            let _ = asked.process.wait();
        }
    }
}

/// What the second process does, until the first has ended.
pub(crate) fn attend() -> ExitCode {
    // Until here, all signals were blocked.
    let Ok(mut signals) = signal::listen() else {
        return ExitCode::FAILURE;
    };
    // What stops the others must not stop this process, which is asked.
    let stops = [SIGTSTP, SIGTTIN, SIGTTOU];
    if signal::unblock_all_but(&stops).is_err() {
        return ExitCode::FAILURE;
    }
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"signal-witness");
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut received = HashSet::new();
    let mut asked = Question::default();
    while input.read_exact(&mut asked).is_ok() {
        received.extend(signals.pending().map(|origin| question(&origin)));
        let answer: Answer = [u8::from(received.remove(&asked))];
        if output
            .write_all(&answer)
            .and_then(|()| output.flush())
            .is_err()
        {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn question(origin: &Origin) -> Question {
    let mut question = Question::default();
    question[..4].copy_from_slice(&origin.signal.to_ne_bytes());
    question[4..].copy_from_slice(&signal::sender(origin).to_ne_bytes());
    question
}

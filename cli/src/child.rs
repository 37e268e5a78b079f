//! A command that is run: signals go to it, and its exit status comes back.
//!
//! It stays in our process group, so that Ctrl-C, Ctrl-Z, `fg` and `bg` mean both of us, and
//! the terminal is its own. Signals that somebody sends to us alone are passed on, and we stay
//! for as long as it runs. A signal that was ignored when we were started, as `nohup` has it,
//! is left alone, and so the child ignores it too.

use crate::exit;
use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, getpgid, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus};

/// Those that are passed on.
const SIGNALS: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// A command that could not be run.
#[derive(Debug)]
pub(crate) struct NotRun {
    program: OsString,
    source: io::Error,
}

/// Runs a command, which has at least one word.
pub(crate) fn run(words: &[OsString], environment: &[(&str, OsString)]) -> Result<ExitCode> {
    let (program, arguments) = words.split_first().expect("the grammar asks for one");
    // From before there is a child, so that none is missed. Its end is a signal as well, and
    // so it isn't waited for, and its id not free, while another signal is passed on.
    let mut signals = SignalsInfo::<WithOrigin>::new(
        SIGNALS
            .into_iter()
            .filter(|signal| !is_ignored(*signal))
            .chain([SIGCHLD]),
    )
    .context("can't listen to signals")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    let mut child = command.spawn().map_err(|source| NotRun {
        program: program.clone(),
        source,
    })?;
    for signal in signals.forever() {
        if signal.signal != SIGCHLD {
            pass_on(&signal, &child);
        } else if let Some(status) = child.try_wait().context("can't wait for the command")? {
            return Ok(code(status));
        }
    }
    unreachable!("nobody closes it")
}

fn pass_on(origin: &Origin, child: &Child) {
    let child = Pid::from_child(child);
    // What somebody typed, the kernel has sent to all of the group.
    let was_typed = origin.cause == Cause::Kernel && [SIGINT, SIGQUIT].contains(&origin.signal);
    if was_typed && getpgid(Some(child)) == getpgid(None) {
        return;
    }
    if let Some(signal) = Signal::from_named_raw(origin.signal) {
        // If it can't be done, the child has become another user, and is not ours to tell.
        let _ = kill_process(child, signal);
    }
}

/// Whether a signal was to be ignored when this process was started, where that can be seen.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored >> (signal - 1) & 1 == 1)
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or(status.signal().map(|signal| exit::KILLED + signal));
    let code = code.and_then(|code| u8::try_from(code).ok());
    code.expect("it has ended, in one of two ways").into()
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't run {:?}", self.program)
    }
}

impl Error for NotRun {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

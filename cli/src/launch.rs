//! Starting a command as if we were not between it and the process that started us.
//!
//! It gets what we got: directory, files, limits and the like by themselves, and also the mask
//! of blocked signals, as long as we haven't changed it. Signals that we listen to are as by
//! default in it, and others as they were. Some cases need more than the standard library does,
//! and are those of a [`launcher`](launch): this program again, which makes way for the
//! command when all is prepared.
//!
//! - A process that ignores SIGCHLD doesn't get to know a child's exit status. So we must not, from
//!   before the command can end, and the command must still.
//! - SIGPIPE is no more ignored in what the standard library starts, except by `exec`.
//! - A script that doesn't begin with `#!` is for the shell, which only `exec` knows.
//! - A command that is to [end with us](Bond) has the kernel told so, by itself.

use crate::witness::oneself;
use anyhow::Result;
use lockutils_startup as startup;
use nix::errno::Errno;
use nix::unistd::execvp;
#[cfg(target_os = "linux")]
use rustix::process::Signal;
use shared_child::SharedChild;
#[cfg(target_os = "linux")]
use signal_hook::consts::SIGTERM;
use signal_hook::consts::{SIGCHLD, SIGPIPE};
use std::env;
use std::error::Error;
use std::ffi::{CString, OsString};
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::{CommandExt as _, parent_id};
use std::process::{self, Command};
use std::thread;
use std::time::Duration;

/// It is found by `/proc` on Linux, and elsewhere where it was.
const NOT_ANEW: &str = if cfg!(target_os = "linux") {
    "can't start this program anew, for the command; see that `/proc` is there"
} else {
    "can't start this program anew, for the command; see that its file is there"
};

/// The name by which a launcher is started.
pub(crate) const NAME: &str = "lockutils-launcher";

/// Says to a launcher that SIGPIPE is to be ignored.
const IGNORE_PIPE: &str = "--ignore-pipe";

/// Says to a launcher that the command is to end with the process of the id that follows.
const WITH: &str = "--with=";

/// Whether the command ends when we do, also if we are killed. On Linux, the kernel sends it SIGTERM
/// then; elsewhere nobody does.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Bond {
    None,
    EndsWithUs,
}

/// How long a launcher sleeps until it looks again.
const NAP: Duration = Duration::from_millis(1);

/// A command that could not be run.
#[derive(Debug)]
pub(crate) struct NotRun {
    program: OsString,
    source: io::Error,
}

/// Starts a command, which has at least one word.
///
/// The caller doesn't ignore SIGCHLD from when this has returned.
pub(crate) fn start(
    words: &[OsString],
    environment: &[(&str, OsString)],
    bond: Bond,
) -> Result<SharedChild> {
    let (program, arguments) = words.split_first().expect("the grammar asks for one");
    let environment = environment.iter().map(|(name, value)| (name, value));
    let not_run = |source| NotRun {
        program: program.clone(),
        source,
    };
    let is_plain = bond == Bond::None || !cfg!(target_os = "linux");
    if is_plain && ![SIGCHLD, SIGPIPE].into_iter().any(startup::is_ignored) {
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.clone());
        match SharedChild::spawn(&mut command) {
            Err(error) if error.raw_os_error() == Some(Errno::ENOEXEC as i32) => {}
            started => return started.map_err(|source| not_run(source).into()),
        }
    }
    let mut launcher = oneself(NAME);
    if startup::is_ignored(SIGPIPE) {
        launcher.arg(IGNORE_PIPE);
    }
    if bond == Bond::EndsWithUs {
        launcher.arg(format!("{WITH}{}", process::id()));
    }
    launcher.arg("--").args(words).envs(environment);
    SharedChild::spawn(&mut launcher).map_err(|source| match source.kind() {
        // This program isn't there. Of the command, the launcher says it.
        io::ErrorKind::NotFound => anyhow::Error::new(source).context(NOT_ANEW),
        _ => not_run(source).into(),
    })
}

/// What a launcher does: it becomes the command, or gives why it can't.
pub(crate) fn launch() -> NotRun {
    let mut arguments = env::args_os().skip(1);
    let options: Vec<_> = { arguments.by_ref() }
        .take_while(|word| word != "--")
        .collect();
    let ignores_pipe = options.iter().any(|option| option == IGNORE_PIPE);
    let options = options.iter().filter_map(|option| option.to_str());
    if let Some(pid) = { options }.find_map(|option| option.strip_prefix(WITH)) {
        end_with(pid);
    }
    let words: Vec<_> = arguments.collect();
    let (program, rest) = words.split_first().expect("it is given a command");
    let parent = parent_id();
    while startup::is_ignored(SIGCHLD) && startup::ignores(parent, SIGCHLD) && parent_id() == parent
    {
        thread::sleep(NAP);
    }
    let source = if ignores_pipe {
        exec(&words)
    } else {
        Command::new(program).args(rest).exec()
    };
    let program = program.clone();
    NotRun { program, source }
}

/// Has the kernel end us with the process of an id, which has started us.
#[cfg(target_os = "linux")]
fn end_with(pid: &str) {
    // A kernel that can't do it is none that runs this.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    if parent_id().to_string() != pid {
        // It was gone already, and the kernel wouldn't tell.
        process::exit(128 + SIGTERM);
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with(_pid: &str) {}

/// Becomes the command, and leaves SIGPIPE as it is; gives why it can't.
fn exec(words: &[OsString]) -> io::Error {
    let words = words.iter().cloned().map(OsString::into_vec);
    match words.map(CString::new).collect::<Result<Vec<_>, _>>() {
        Ok(words) => match execvp(&words[0], &words) {
            Ok(never) => match never {},
            Err(error) => error.into(),
        },
        Err(error) => error.into(),
    }
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

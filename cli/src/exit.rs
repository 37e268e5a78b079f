//! What the exit statuses say.
//!
//! Those of a child are passed on as they are, so ours are such as few commands use: from
//! `sysexits.h`, as `flock(1)` has them, and the shells' for a command that can't be run.

use crate::ancestor::HeldAbove;
use crate::holder;
use crate::launch::NotRun;
use lockutils::ErrorKind;
use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::process::ExitCode;

/// The arguments are wrong, or a key has no lock file: `EX_USAGE`.
const USAGE: u8 = 64;

/// The holder of the lock waits for us, so it would be for ever: `EX_SOFTWARE`, since a script is
/// wrong.
const DEADLOCK: u8 = 70;

/// The server of the locks, or the process that is asked, isn't there, is silent, or refuses: `EX_UNAVAILABLE`.
const UNAVAILABLE: u8 = 69;

/// The lock files can't be used: `EX_IOERR`.
const FAILED: u8 = 74;

/// Somebody holds the lock: `EX_TEMPFAIL`.
pub(crate) const CONFLICT: u8 = 75;

/// The lock was lost while the command ran: `EX_PROTOCOL`, as good as any.
const LOST: u8 = 76;

/// The command can't be run.
const NOT_EXECUTABLE: u8 = 126;

/// There is no such command.
const NOT_FOUND: u8 = 127;

/// A child was killed; the signal's number is added.
pub(crate) const KILLED: i32 = 128;

/// That no process serves its locks that was meant, or that it doesn't answer.
#[derive(Debug)]
pub(crate) struct NoService(pub(crate) String);

impl Display for NoService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NoService {}

/// Tells whether a lock was not taken since it is held, and not since nobody knows whether it is.
pub(crate) fn is_conflict(error: &lockutils::Error) -> bool {
    match error.kind() {
        ErrorKind::Busy => true,
        ErrorKind::Timeout => error.unanswered().is_none(),
        _ => false,
    }
}

/// The error of arguments that are wrong in a way the grammar doesn't know of. Who knows the
/// subcommand adds its usage.
pub(crate) fn usage(text: &str) -> anyhow::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, text).into()
}

/// Prints an error, and gives its exit status.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(error) = error.downcast_ref::<clap::Error>() {
        // Which goes to standard output if it is the help that was asked for.
        let _ = error.print();
        return if error.use_stderr() {
            USAGE.into()
        } else {
            ExitCode::SUCCESS
        };
    }
    if is_of(error, io::ErrorKind::BrokenPipe) {
        // The reader, such as `head`, has seen enough.
        return ExitCode::SUCCESS;
    }
    match error.downcast_ref::<lockutils::Error>() {
        Some(error) if is_conflict(error) => say(holder::conflict(error, None, None)),
        _ => say(format_args!("{error:#}")),
    }
    status(error).into()
}

/// Prints what could not be done of many things, and gives the exit status.
pub(crate) fn listed(failed: &[lockutils::Error]) -> ExitCode {
    for error in failed {
        say(with_cause(error));
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        FAILED.into()
    }
}

/// An error's text, and why.
pub(crate) fn with_cause(error: &lockutils::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Tells the person something.
pub(crate) fn say(text: impl Display) {
    // The status tells it too, to those who don't listen.
    let _ = writeln!(io::stderr(), "lockutils: {text}");
}

fn status(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<lockutils::Error>() {
        return match error.kind() {
            _ if is_conflict(error) => CONFLICT,
            ErrorKind::InvalidKey | ErrorKind::InvalidUrl => USAGE,
            ErrorKind::Deadlock => DEADLOCK,
            // A timeout that is no conflict is of a server that hasn't answered.
            ErrorKind::Unavailable | ErrorKind::Timeout => UNAVAILABLE,
            ErrorKind::Lost => LOST,
            _ => FAILED,
        };
    }
    if error.is::<NoService>() {
        return UNAVAILABLE;
    }
    if error.is::<HeldAbove>() {
        return DEADLOCK;
    }
    match error.downcast_ref::<NotRun>().and_then(Error::source) {
        Some(_) if is_of(error, io::ErrorKind::NotFound) => NOT_FOUND,
        Some(_) => NOT_EXECUTABLE,
        None => FAILED,
    }
}

/// Whether the system has said so.
fn is_of(error: &anyhow::Error, kind: io::ErrorKind) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == kind)
}

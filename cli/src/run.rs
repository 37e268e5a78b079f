//! `lockutils run`: a command under locks.

use crate::args::RunArgs;
use crate::{child, exit, holder, waiting};
use anyhow::Result;
use lockutils::{Error, ErrorKind, FileLocks, Guard};
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode> {
    let locks = args.place.locks()?;
    if !args.quiet && args.place.is_own() && io::stderr().is_terminal() {
        exit::say(format_args!("lock files in {:?}", locks.name()));
    }
    let words: Vec<_> = args
        .command
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    FileLocks::stand_for(&words.join(" "));
    let guard = match take(args, &locks) {
        Err(error) if exit::is_conflict(&error) => {
            if !args.quiet {
                exit::say(holder::conflict(&error));
            }
            return Ok(args.conflict_exit_code.into());
        }
        result => result?,
    };
    let code = child::run(&args.command, &[]);
    drop(guard);
    code
}

fn take(args: &RunArgs, locks: &FileLocks) -> Result<Guard, Error> {
    let mut locks_to_take = locks.keys(&args.keys);
    if args.shared {
        locks_to_take = locks_to_take.shared();
    }
    let wait = || match args.timeout {
        Some(timeout) => locks_to_take.lock_timeout(timeout),
        None => locks_to_take.lock(),
    };
    match locks_to_take.try_lock() {
        Err(error) if error.kind() == ErrorKind::Busy && !args.nonblock => {
            if args.quiet {
                wait()
            } else {
                waiting::shown(locks, &args.keys, wait)
            }
        }
        result => result,
    }
}

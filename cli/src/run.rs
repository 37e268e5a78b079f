//! `lockutils run`: a command under locks.

use crate::args::RunArgs;
use crate::{child, exit, holder, waiting};
use anyhow::Result;
use lockutils::{Error, ErrorKind, FileLocks, Guard};
use std::process::ExitCode;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode> {
    let guard = match take(args, &args.place.locks()?) {
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

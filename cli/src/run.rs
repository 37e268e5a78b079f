//! `lockutils run`: a command under locks.
//!
//! The command inherits the locks' descriptors, and so does what it starts. As long as we are
//! there that is of no use: when the command ends we release the locks for all of them. But
//! if we are killed, the locks are held until the last of them has ended, and nobody gets in
//! beside a command that nobody watches any more.

use crate::args::RunArgs;
use crate::{ancestor, child, exit, holder, waiting};
use anyhow::{Context as _, Result};
use lockutils::{Error, FileLocks, Guard};
use rustix::io::fcntl_dupfd_cloexec;
use std::io::{self, IsTerminal as _};
use std::os::fd::OwnedFd;
use std::process::ExitCode;

/// A script of a shell has those from 3 to 9 for what it opens.
const LOWEST_SHARE: i32 = 10;

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
    let guard = match take(args, &locks)? {
        Ok(guard) => guard,
        Err(conflict) => {
            if !args.quiet {
                exit::say(holder::conflict(&conflict));
            }
            return Ok(args.conflict_exit_code.into());
        }
    };
    let shares = if args.close {
        Vec::new()
    } else {
        shares(&guard).context("can't have the command keep the lock")?
    };
    let code = child::run(&args.command, &[], &shares);
    // For the command and all that it has left running.
    drop(guard);
    code
}

/// The lock's descriptors, for the command to have the lock as well, with numbers that scripts
/// leave alone.
fn shares(guard: &Guard) -> io::Result<Vec<OwnedFd>> {
    let files = guard.files()?;
    let moved = files
        .iter()
        .map(|file| Ok(fcntl_dupfd_cloexec(file, LOWEST_SHARE)?));
    moved.collect()
}

/// Takes the locks, or gives the error of who finds them taken.
fn take(args: &RunArgs, locks: &FileLocks) -> Result<Result<Guard, Error>> {
    let mut locks_to_take = locks.keys(&args.keys);
    if args.shared {
        locks_to_take = locks_to_take.shared();
    }
    let wait = || match args.timeout {
        Some(timeout) => locks_to_take.lock_timeout(timeout),
        None => locks_to_take.lock(),
    };
    let mut taken = locks_to_take.try_lock();
    if taken.as_ref().is_err_and(exit::is_conflict) && !args.nonblock {
        if let Some(held) = ancestor::holding(locks, &args.keys, args.shared) {
            return Err(held.into());
        }
        taken = if args.quiet {
            wait()
        } else {
            waiting::shown(locks, &args.keys, wait)
        };
    }
    match taken {
        Err(error) if !exit::is_conflict(&error) => Err(error.into()),
        taken => Ok(taken),
    }
}

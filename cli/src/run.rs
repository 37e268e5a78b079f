//! `lockutils run`: a command under locks.
//!
//! The command inherits the locks' descriptors, and so does what it starts. As long as we are
//! there that is of no use: when the command ends we release the locks for all of them. But
//! if we are killed, the locks are held until the last of them has ended, and nobody gets in
//! beside a command that nobody watches any more.

use crate::args::RunArgs;
use crate::{child, exit, remote, taking};
use anyhow::{Context as _, Result};
use lockutils::{FileLocks, Guard};
use rustix::io::fcntl_dupfd_cloexec;
use std::io::{self, IsTerminal as _};
use std::os::fd::OwnedFd;
use std::process::ExitCode;

/// A script of a shell has those from 3 to 9 for what it opens.
const LOWEST_SHARE: i32 = 10;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode> {
    let words: Vec<_> = { args.command.iter() }
        .map(|word| word.to_string_lossy())
        .collect();
    let command = words.join(" ");
    if let Some(locks) = args.source.server()? {
        return remote::run(args, &command, locks);
    }
    FileLocks::stand_for(&command);
    if args.ttl.or(args.grace).is_some() {
        return Err(exit::usage(
            "`--ttl` and `--grace` are for locks of a server; name it with `--on`",
        ));
    }
    let files = &args.source.files;
    let locks = files.locks()?;
    if !args.quiet && files.is_own() && io::stderr().is_terminal() {
        exit::say(format_args!("lock files in {:?}", locks.name()));
    }
    let guard = match taking::take(args, &locks)? {
        Ok(guard) => guard,
        Err(conflict) => return Ok(taking::given_up(args, &locks, &conflict)),
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

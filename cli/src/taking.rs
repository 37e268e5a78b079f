//! Taking the locks of `lockutils run`, be they files or a server's: at first without waiting, then
//! with a line that says for whom.

use crate::ancestor::{self, HeldAbove};
use crate::args::RunArgs;
use crate::{exit, holder, waiting};
use anyhow::Result;
use lockutils::{Error, FileLocks, Guard, Holder};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

/// Locks that a command can be run under.
pub(crate) trait Locks: Sync {
    type Guard;

    /// Takes all of them or none, without waiting for who has one.
    fn try_lock(&self, args: &RunArgs) -> Result<Self::Guard, Error>;

    /// Waits for all of them, for a time or as long as it takes.
    fn lock(&self, args: &RunArgs) -> Result<Self::Guard, Error>;

    /// Who has the lock of a key.
    fn holder(&self, key: &OsString) -> Option<Holder>;

    /// Which of them somebody has who waits for this process.
    fn held_above(&self, args: &RunArgs) -> Option<HeldAbove>;
}

/// Takes the locks, or gives the error of who finds them taken.
pub(crate) fn take<L: Locks>(args: &RunArgs, locks: &L) -> Result<Result<L::Guard, Error>> {
    let waits = !args.nonblock && args.timeout != Some(Duration::ZERO);
    let taken = match locks.try_lock(args) {
        Err(conflict) if waits && exit::is_conflict(&conflict) => {
            if let Some(held) = locks.held_above(args) {
                return Err(held.into());
            }
            wait(args, locks, conflict)
        }
        taken => taken,
    };
    match taken {
        Err(error) if !exit::is_conflict(&error) => Err(error.into()),
        taken => Ok(taken),
    }
}

/// Waits for the locks, one of which somebody had when it was tried to take them.
fn wait<L: Locks>(args: &RunArgs, locks: &L, conflict: Error) -> Result<L::Guard, Error> {
    let waited = if args.quiet {
        locks.lock(args)
    } else {
        waiting::shown(&args.keys, |key| locks.holder(key), || locks.lock(args))
    };
    match waited {
        // The time was over before a server answered once more; and it has said that somebody has the lock.
        Err(error) if error.unanswered().is_some() => Err(conflict),
        waited => waited,
    }
}

/// Says that somebody has the lock; gives the exit status of who gives up. A server may have said
/// no more than that it is busy, so it is asked for the holder.
pub(crate) fn given_up<L: Locks>(args: &RunArgs, locks: &L, conflict: &Error) -> ExitCode {
    if !args.quiet {
        let seen = match conflict.holder() {
            Some(_) => None,
            None => args.keys.iter().find_map(|key| locks.holder(key)),
        };
        exit::say(holder::conflict(conflict, args.timeout, seen.as_ref()));
    }
    args.conflict_exit_code.into()
}

impl Locks for FileLocks {
    type Guard = Guard;

    fn try_lock(&self, args: &RunArgs) -> Result<Guard, Error> {
        let locks = self.keys(&args.keys);
        if args.shared {
            locks.shared().try_lock()
        } else {
            locks.try_lock()
        }
    }

    fn lock(&self, args: &RunArgs) -> Result<Guard, Error> {
        let mut locks = self.keys(&args.keys);
        if args.shared {
            locks = locks.shared();
        }
        match args.timeout {
            Some(timeout) => locks.lock_timeout(timeout),
            None => locks.lock(),
        }
    }

    fn holder(&self, key: &OsString) -> Option<Holder> {
        self.key(key).holder().ok()?
    }

    fn held_above(&self, args: &RunArgs) -> Option<HeldAbove> {
        ancestor::holding(self, &args.keys, args.shared)
    }
}

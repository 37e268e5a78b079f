//! Other systems than Linux: the standard library's lock of a file.

#![expect(
    clippy::incompatible_msrv,
    reason = "where it isn't Linux the crate needs Rust 1.89, which has these locks"
)]

use super::{KernelLocks, Locker, Os, Tick};
use crate::table::policy::Mode;
use std::fs::{File, TryLockError};
use std::io;
use std::sync::LazyLock;
use std::time::Instant;

/// What the kernel doesn't tell.
pub(in crate::file) struct Unknown;

impl KernelLocks for Os {
    fn try_lock(file: &File, mode: Mode) -> io::Result<bool> {
        let tried = match mode {
            Mode::Exclusive => file.try_lock(),
            Mode::Shared => file.try_lock_shared(),
        };
        match tried {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn lock(file: &File, mode: Mode) -> io::Result<()> {
        loop {
            let locked = match mode {
                Mode::Exclusive => file.lock(),
                Mode::Shared => file.lock_shared(),
            };
            match locked {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn unlock(file: &File) -> io::Result<()> {
        file.unlock()
    }

    fn locker(file: &File) -> io::Result<Option<Locker>> {
        // There is no way to ask but to try.
        if Self::try_lock(file, Mode::Exclusive)? {
            Self::unlock(file)?;
            return Ok(None);
        }
        Ok(Some(Locker::Unnamed))
    }

    type Waits = Unknown;

    fn waits() -> Unknown {
        Unknown
    }

    fn waits_for(_file: &File, _waits: &Unknown) -> usize {
        0
    }

    fn is_for_locks(error: &io::Error) -> bool {
        error.kind() == io::ErrorKind::Unsupported
    }

    fn tick() -> Tick {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let elapsed = START.elapsed();
        let seconds = i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX);
        (seconds, elapsed.subsec_millis().into())
    }
}

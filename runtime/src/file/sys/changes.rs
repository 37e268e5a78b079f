//! Linux: whether a file has changed, by its time of change: that comes with what is looked at in any
//! case, and to read the file is a system call more.
//!
//! Only in a file system of this machine, where it is the time of the kernel's clock, to the tick or to the
//! second. Of those that others than this kernel write to, or that have clocks of their own, nobody knows.

#![expect(
    unsafe_code,
    reason = "the standard library doesn't tell file systems apart"
)]

use super::Tick;
use crate::clock;
use libc::stat64;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;

/// Ext2 to ext4, XFS, Btrfs, tmpfs, F2FS, and overlayfs, whose upper layer is nearly always one of them. Where
/// it isn't, a change may not be seen before the record is written anew.
const OF_THIS_MACHINE: [i64; 6] = [
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0x0102_1994,
    0xf2f5_2010,
    0x794c_7630,
];

/// When the file was changed last. Not when it was written to, which anybody may set.
pub(super) fn last(found: &stat64) -> Tick {
    tick(found.st_ctime, found.st_ctime_nsec)
}

/// The clock that the kernel takes it from.
pub(super) fn present() -> Tick {
    let now = clock::read(libc::CLOCK_REALTIME_COARSE);
    tick(now.tv_sec, now.tv_nsec)
}

pub(super) fn are_told(file: &File) -> bool {
    let mut found = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the descriptor is open, and there is room for what is written.
    if unsafe { libc::fstatfs(file.as_raw_fd(), found.as_mut_ptr()) } == -1 {
        return false;
    }
    // SAFETY: the call has succeeded, so it has written all of it.
    let kind = number(unsafe { found.assume_init() }.f_type);
    kind.is_some_and(|kind| OF_THIS_MACHINE.contains(&kind))
}

/// The parts of a time have 32 bits on some machines.
fn tick(seconds: impl Into<i64>, nanoseconds: impl Into<i64>) -> Tick {
    (seconds.into(), nanoseconds.into())
}

/// Its type is another one on many machines.
fn number(kind: impl TryInto<i64>) -> Option<i64> {
    kind.try_into().ok()
}

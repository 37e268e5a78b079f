//! Linux: open-file-description record locks.

#![expect(unsafe_code, reason = "the standard library has no record locks")]

use super::unix::Identity;
use super::{KernelLocks, Locker, Moment, Os};
use crate::local::Mode;
use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, RawFd};

impl KernelLocks for Os {
    fn try_lock(file: &File, mode: Mode) -> io::Result<bool> {
        match set(file.as_raw_fd(), libc::F_OFD_SETLK, kind(mode)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            // POSIX allows either for a lock that somebody has.
            Err(error) if error.raw_os_error() == Some(libc::EACCES) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn lock(file: &File, mode: Mode) -> io::Result<()> {
        loop {
            match set(file.as_raw_fd(), libc::F_OFD_SETLKW, kind(mode)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn unlock(file: &File) -> io::Result<()> {
        set(file.as_raw_fd(), libc::F_OFD_SETLK, libc::F_UNLCK)
    }

    fn locker(file: &File) -> io::Result<Option<Locker>> {
        let mut lock = whole_file(libc::F_WRLCK);
        // SAFETY: the descriptor is open, and the command takes a pointer to a `flock`.
        if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) } == -1 {
            return Err(io::Error::last_os_error());
        }
        if i32::from(lock.l_type) == libc::F_UNLCK {
            return Ok(None);
        }
        // The lock of an open file has no process, and -1 here; nor has one of another host or
        // container that this process can see.
        let pid = u32::try_from(lock.l_pid).ok().filter(|pid| *pid > 0);
        Ok(Some(pid.map_or(Locker::Unnamed, Locker::Process)))
    }

    fn waits() -> Vec<Identity> {
        // A line such as `3: -> OFDLCK ADVISORY  WRITE -1 fe:01:1234 0 EOF`.
        let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
        let waits = locks.lines().filter(|line| line.contains("->"));
        let identity = |line: &str| {
            let mut place = line.split_ascii_whitespace().nth(6)?.split(':');
            let mut number = |radix| u64::from_str_radix(place.next()?, radix).ok();
            let (major, minor, inode) = (number(16)?, number(16)?, number(10)?);
            let device = libc::makedev(major.try_into().ok()?, minor.try_into().ok()?);
            Some(Identity { device, inode })
        };
        waits.filter_map(identity).collect()
    }

    fn is_for_locks(error: &io::Error) -> bool {
        matches!(
            error.raw_os_error(),
            Some(libc::ENOLCK | libc::EINVAL | libc::EOPNOTSUPP)
        )
    }

    fn glance(file: &File) -> io::Result<(bool, Moment)> {
        let mut stat = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the descriptor is open, and there is room for what is written.
        if unsafe { libc::fstat(file.as_raw_fd(), stat.as_mut_ptr()) } == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has succeeded, so it has written all of it.
        let stat = unsafe { stat.assume_init() };
        Ok((stat.st_nlink > 0, moment(stat.st_mtime, stat.st_mtime_nsec)))
    }

    fn tick() -> Moment {
        read_clock(libc::CLOCK_REALTIME_COARSE)
    }

    fn steady_tick() -> Moment {
        read_clock(libc::CLOCK_MONOTONIC_COARSE)
    }
}

fn read_clock(clock: libc::clockid_t) -> Moment {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: there is room for what is written.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    moment(now.tv_sec, now.tv_nsec)
}

/// The parts of a time have 32 bits on some machines.
fn moment(seconds: impl Into<i64>, nanoseconds: impl Into<i64>) -> Moment {
    (seconds.into(), nanoseconds.into())
}

fn kind(mode: Mode) -> i32 {
    match mode {
        Mode::Exclusive => libc::F_WRLCK,
        Mode::Shared => libc::F_RDLCK,
    }
}

fn set(descriptor: RawFd, command: i32, kind: i32) -> io::Result<()> {
    let lock = whole_file(kind);
    // SAFETY: the commands take a pointer to a `flock`, and only read it.
    if unsafe { libc::fcntl(descriptor, command, &raw const lock) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// From the beginning to wherever the file may grow.
fn whole_file(kind: i32) -> libc::flock {
    libc::flock {
        l_type: libc::c_short::try_from(kind).expect("the kinds are 0 to 2"),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).expect("zero"),
        l_start: 0,
        l_len: 0,
        // The kernel asks for zero here.
        l_pid: 0,
    }
}

//! Linux: open-file-description record locks.

#![expect(unsafe_code, reason = "the standard library has no record locks")]

use super::Locker;
use crate::local::Mode;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Which file it is: device and inode, which no other file has while this one is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::file) struct Identity {
    device: u64,
    inode: u64,
}

/// Opens a lock file.
pub(in crate::file) fn open(path: &Path) -> io::Result<File> {
    options().write(true).open(path)
}

/// Makes a lock file where there is none.
pub(in crate::file) fn make(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Opens a lock file to look at it.
pub(in crate::file) fn open_to_read(path: &Path) -> io::Result<File> {
    options().open(path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // Not blocking, or a FIFO in its place could keep us waiting.
    options
        .read(true)
        .mode(0o666)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    options
}

/// Which file is open.
pub(in crate::file) fn identity(file: &File) -> io::Result<Identity> {
    file.metadata().map(|metadata| Identity::from(&metadata))
}

/// Which file is at the path, itself and not what it links to, and what is known of it; `None`
/// where there is none.
pub(in crate::file) fn identity_at(path: &Path) -> io::Result<Option<(Identity, Metadata)>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some((Identity::from(&metadata), metadata))),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            _ => Err(error),
        },
    }
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// A moment in a file system's clock.
pub(in crate::file) type Moment = (i64, i64);

/// Whether the open file still has a name, whichever, and when it was last written to.
pub(in crate::file) fn glance(file: &File) -> io::Result<(bool, Moment)> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the descriptor is open, and there is room for what is written.
    if unsafe { libc::fstat(file.as_raw_fd(), stat.as_mut_ptr()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so it has written all of it.
    let stat = unsafe { stat.assume_init() };
    Ok((stat.st_nlink > 0, (stat.st_mtime, stat.st_mtime_nsec)))
}

/// When file systems believe it is. Their clock goes in ticks of milliseconds.
pub(in crate::file) fn tick() -> Moment {
    read_clock(libc::CLOCK_REALTIME_COARSE)
}

/// A clock that never goes back, in the same ticks. Looking at it costs next to nothing.
pub(in crate::file) fn steady_tick() -> Moment {
    read_clock(libc::CLOCK_MONOTONIC_COARSE)
}

fn read_clock(clock: libc::clockid_t) -> Moment {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: there is room for what is written.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    (now.tv_sec, now.tv_nsec)
}

/// Takes the lock if nobody is in the way.
pub(in crate::file) fn try_lock(file: &File, mode: Mode) -> io::Result<bool> {
    match set(file.as_raw_fd(), libc::F_OFD_SETLK, kind(mode)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        // POSIX allows either for a lock that somebody has.
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Blocks the thread until it has the lock.
pub(in crate::file) fn lock(file: &File, mode: Mode) -> io::Result<()> {
    loop {
        match set(file.as_raw_fd(), libc::F_OFD_SETLKW, kind(mode)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Releases the lock, also for a child that has inherited the descriptor by a fork.
pub(in crate::file) fn unlock(file: &File) -> io::Result<()> {
    set(file.as_raw_fd(), libc::F_OFD_SETLK, libc::F_UNLCK)
}

/// Who is in the way of an exclusive lock; `None` if nobody is.
pub(in crate::file) fn locker(file: &File) -> io::Result<Option<Locker>> {
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

/// Whether what is missing is a descriptor.
pub(in crate::file) fn is_for_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Whether the path is too long. Its [`io::ErrorKind`] is younger than Rust 1.85.
pub(in crate::file) fn is_for_length(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENAMETOOLONG)
}

/// Writes over the beginning of the file.
pub(in crate::file) fn write(file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, 0)
}

/// Reads the beginning of the file, as far as there is one.
pub(in crate::file) fn read(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    file.read_at(bytes, 0)
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

/// The files that processes wait for in the kernel, one for each wait.
pub(in crate::file) fn waits() -> Vec<Identity> {
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

/// Whether the path is that of a symbolic link.
pub(in crate::file) fn is_symbolic_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

/// Whether the file system has no lock to give.
pub(in crate::file) fn is_for_locks(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOLCK | libc::EINVAL | libc::EOPNOTSUPP)
    )
}

//! Linux: open-file-description record locks.

#![expect(unsafe_code, reason = "the standard library has no record locks")]

use super::{KernelLocks, Locker, Os, Tick};
use crate::clock;
use crate::table::policy::Mode;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::MetadataExt as _;

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

    type Waits = Waits;

    fn waits() -> Waits {
        // What can't be read is as good as empty.
        let locks = File::open("/proc/locks");
        Waits {
            reads: locks.map_or_else(|_| Vec::new(), waited_for),
            mounts: fs::read_to_string("/proc/self/mountinfo").unwrap_or_default(),
        }
    }

    fn waits_for(file: &File, waits: &Waits) -> usize {
        if waits.reads.iter().all(Vec::is_empty) {
            return 0;
        }
        let Some(place) = waits.place(file) else {
            return 0;
        };
        let reads = waits.reads.iter();
        let counts = reads.map(|read| read.iter().filter(|wait| **wait == place).count());
        counts.max().unwrap_or(0)
    }

    fn is_for_locks(error: &io::Error) -> bool {
        matches!(
            error.raw_os_error(),
            Some(libc::ENOLCK | libc::EINVAL | libc::EOPNOTSUPP)
        )
    }

    fn tick() -> Tick {
        let now = clock::read(libc::CLOCK_MONOTONIC_COARSE);
        tick(now.tv_sec, now.tv_nsec)
    }
}

/// The parts of a time have 32 bits on some machines.
fn tick(seconds: impl Into<i64>, nanoseconds: impl Into<i64>) -> Tick {
    (seconds.into(), nanoseconds.into())
}

/// Where `/proc/locks` says a lock is: the device and the inode as the kernel itself has them.
///
/// `stat` may give others: on btrfs each subvolume has a device of its own, which is none; on
/// overlayfs it may be that of one of the layers. Only files of two subvolumes can't be told
/// apart, if they have the same inode.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    device: (u32, u32),
    inode: u64,
}

/// What processes wait for in the kernel.
pub(in crate::file) struct Waits {
    /// One place for each wait, in each [read](waited_for).
    reads: Vec<Vec<Place>>,
    /// What is mounted, and the device of each.
    mounts: String,
}

impl Place {
    /// That of a wait, from a line such as `3: -> OFDLCK ADVISORY  WRITE -1 fe:01:1234 0 EOF`.
    fn waited_for(line: &str) -> Option<Self> {
        let (_, lock) = line.split_once("->")?;
        let place = lock.split_ascii_whitespace().nth(4)?;
        let (device, inode) = place.rsplit_once(':')?;
        Some(Self {
            device: numbers(device, 16)?,
            inode: inode.parse().ok()?,
        })
    }
}

impl Waits {
    fn place(&self, file: &File) -> Option<Place> {
        let path = format!("/proc/self/fdinfo/{}", file.as_raw_fd());
        let info = fs::read_to_string(path).ok()?;
        let field = |name| info.lines().find_map(|line| line.strip_prefix(name));
        let mount = field("mnt_id:")?.trim();
        let inode = match field("ino:") {
            Some(inode) => inode.trim().parse().ok()?,
            // Before Linux 5.14.
            None => file.metadata().ok()?.ino(),
        };
        // A line such as `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`.
        let mounts = self.mounts.lines();
        let mounts = mounts.map(|line| line.split_ascii_whitespace());
        let mut fields = mounts.filter(|fields| fields.clone().next() == Some(mount));
        let device = numbers(fields.next()?.nth(2)?, 10)?;
        Some(Place { device, inode })
    }
}

/// The places of all waits in `/proc/locks`, as each read of it shows them.
///
/// A read gives a page or less, all of one moment. The next one skips as many locks as those before it have
/// shown: where others have come meanwhile, it begins with some of the same. So a wait is counted twice by who
/// adds up what two reads show.
fn waited_for(mut locks: impl Read) -> Vec<Vec<Place>> {
    let (mut reads, mut text) = (Vec::new(), Vec::new());
    // Room for a lock that many wait for: it is shown by one read, however long that is.
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = locks.read(&mut buffer) {
        text.extend_from_slice(&buffer[..length]);
        let end = text.iter().rposition(|byte| *byte == b'\n');
        let lines: Vec<u8> = text.drain(..end.map_or(0, |end| end + 1)).collect();
        let lines = String::from_utf8_lossy(&lines);
        reads.push(lines.lines().filter_map(Place::waited_for).collect());
    }
    reads
}

/// The two numbers of a device.
fn numbers(device: &str, radix: u32) -> Option<(u32, u32)> {
    let (major, minor) = device.split_once(':')?;
    let number = |text| u32::from_str_radix(text, radix).ok();
    Some((number(major)?, number(minor)?))
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A file of which each read gives the next piece.
    struct Pieces(Vec<&'static str>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            self.0.remove(0).as_bytes().read(buffer)
        }
    }

    /// The inodes of what is waited for, in each read.
    fn inodes(pieces: Vec<&'static str>) -> Vec<Vec<u64>> {
        let reads = waited_for(Pieces(pieces)).into_iter();
        let inodes = reads.map(|read| read.into_iter().map(|place| place.inode).collect());
        inodes.collect()
    }

    #[test]
    fn what_two_reads_show_is_kept_apart() {
        let first = "1: FLOCK  ADVISORY  WRITE 7 fe:00:3 0 EOF\n\
                     2: OFDLCK ADVISORY  WRITE -1 fe:00:17 0 EOF\n\
                     2: -> OFDLCK ADVISORY  WRITE -1 fe:00:17 0 EOF\n\
                     2:  -> OFDLCK ADVISORY  READ -1 fe:00:17 0 EOF\n";
        let again = "3: OFDLCK ADVISORY  WRITE -1 fe:00:17 0 EOF\n\
                     3: -> OFDLCK ADVISORY  WRITE -1 fe:00:17 0 EOF\n\
                     4: POSIX  ADVISORY  WRITE 7 fe:00:4 0 EOF\n\
                     4: -> POSIX  ADVISORY  WRITE 8 fe:00:4 0 EOF\n";
        assert_eq!(inodes(vec![first, again]), [vec![17, 17], vec![17, 4]]);
    }

    #[test]
    fn line_that_two_reads_share_is_of_the_second() {
        let pieces = vec!["1: -> OFDLCK ADVISORY  WRITE -1 fe:00:1", "7 0 EOF\n"];
        assert_eq!(inodes(pieces), [vec![], vec![17]]);
    }
}

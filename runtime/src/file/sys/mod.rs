//! What the operating system has for lock files.
//!
//! It is asked through [`Os`], which has two traits, so that a system that lacks a function of
//! theirs doesn't compile: [`Files`] is how files are opened and known, [`KernelLocks`] how the
//! kernel locks them. Each has one implementation for every system:
//!
//! | | Linux | other Unixes | elsewhere |
//! |---|---|---|---|
//! | [`Files`] | `unix` | `unix` | `elsewhere` |
//! | a symbolic link in the file's place | refused | refused | refused on Windows |
//! | which file is at a path | its device and inode | its device and inode | unknown |
//! | whether a file was changed | its time of change | unknown | unknown |
//! | [`KernelLocks`] | `linux` | `portable` | `portable` |
//! | lock | open-file-description record lock on the whole file | [`File::lock`] | [`File::lock`] |
//! | excludes Python's oslo.concurrency and fasteners | yes | no | no |
//! | who holds a lock that is no lock of ours | the kernel tells the process | unknown | unknown |
//!
//! All locks belong to the open file and not to the process: two descriptors of one process
//! exclude each other, a lock ends when its last descriptor does, and the kernel frees those of a
//! process that ends, however it ends.
//!
//! `--cfg lockutils_portable` has Linux do as other Unixes do, for tests of that.

#[cfg(target_os = "linux")]
mod changes;
#[cfg(not(unix))]
mod elsewhere;
#[cfg(all(target_os = "linux", not(lockutils_portable)))]
mod linux;
#[cfg(not(all(target_os = "linux", not(lockutils_portable))))]
mod portable;
#[cfg(all(unix, not(target_os = "linux")))]
mod unchanging;
#[cfg(unix)]
mod unix;

use crate::table::policy::Mode;
use std::fmt;
use std::fs::{File, Metadata};
use std::hash::Hash;
use std::io;
use std::path::{Path, PathBuf};

/// The operating system.
pub(super) struct Os;

/// Which file it is.
pub(super) type Identity = <Os as Files>::Identity;

/// A moment of a clock: seconds, and nanoseconds.
pub(super) type Tick = (i64, i64);

/// What is seen of an open file at a glance.
#[derive(Clone, Copy)]
pub(super) struct Glance {
    /// Whether it still has a name, whichever.
    pub(super) has_name: bool,
    /// When it was changed last, by the clock of its file system.
    pub(super) changed: Tick,
}

/// What is wrong with a directory.
pub(super) type Refusal = (io::ErrorKind, &'static str);

/// A process in the way of a lock.
pub(super) enum Locker {
    /// A process, by its id.
    #[cfg_attr(
        not(all(target_os = "linux", not(lockutils_portable))),
        expect(dead_code, reason = "only Linux tells who it is")
    )]
    Process(u32),
    /// A process that the system doesn't name.
    Unnamed,
}

/// How files are opened, and known.
pub(super) trait Files {
    /// Which file it is: no other one is the same while this one is open, where
    /// [`Files::TELLS_APART`] is true.
    type Identity: Copy + fmt::Debug + Eq + Hash;

    /// Whether two files are told apart by their identities.
    const TELLS_APART: bool;

    /// Whether a file can be removed while it is open, by whomever.
    const REMOVES_OPEN: bool;

    /// Opens a lock file.
    fn open(path: &Path) -> io::Result<File>;

    /// Makes a lock file where there is none.
    fn make(path: &Path) -> io::Result<File>;

    /// Opens a lock file to look at it.
    fn open_to_read(path: &Path) -> io::Result<File>;

    /// Which file is open.
    fn identity(file: &File) -> io::Result<Self::Identity>;

    /// What others call it, of a file that is told apart.
    fn words(identity: Self::Identity) -> [u64; 2];

    /// Glances at the open file.
    fn glance(file: &File) -> io::Result<Glance>;

    /// Whether whoever changes the file, and wherever, has [`Glance::changed`] be by the clock of
    /// [`Files::present`] at least.
    fn tells_changes(file: &File) -> bool;

    /// The present by the clock that says when files are changed.
    fn present() -> Tick;

    /// Which file is at the path, itself and not what it links to, and what is known of it;
    /// `None` where there is none.
    fn identity_at(path: &Path) -> io::Result<Option<(Self::Identity, Metadata)>>;

    /// Whether the file at the path may be another program's, to which somebody else has given
    /// a second name there.
    fn may_be_planted(found: &Metadata, path: &Path) -> bool;

    /// Reads the beginning of the file, as far as there is one.
    fn read(file: &File, bytes: &mut [u8]) -> io::Result<usize>;

    /// Writes over what is at that place of the file.
    fn write(file: &File, offset: usize, bytes: &[u8]) -> io::Result<()>;

    /// Whether the process may write so many bytes at the beginning of a file. Who writes more
    /// than it may is killed for it.
    fn may_write(length: usize) -> bool;

    /// Sets the file's times of reading and writing to now, also of another user's file.
    fn touch(file: &File) -> io::Result<()>;

    /// Marks the user's own file, where there is a way to, so that programs that remove old files
    /// leave it.
    fn protect(file: &File, found: &Metadata);

    /// The directory for the lock files of one user, and whether it can be trusted. Makes it
    /// where it is missing. `runtime` is where the session says that such directories are.
    fn own_directory(runtime: Option<PathBuf>) -> (PathBuf, Result<(), Refusal>);

    /// Whether such a directory can be trusted. Makes it where it is missing.
    fn check_own(directory: &Path) -> Result<(), Refusal>;

    /// Whether what is missing is a descriptor.
    fn is_for_descriptors(error: &io::Error) -> bool;

    /// Whether the path is too long. The kind of such errors is younger than Rust 1.85.
    fn is_for_length(error: &io::Error) -> bool;

    /// Whether the path is that of a symbolic link.
    fn is_symbolic_link(error: &io::Error) -> bool;
}

/// How the kernel locks files, and what it tells of that.
pub(super) trait KernelLocks {
    /// Takes the lock if nobody is in the way.
    fn try_lock(file: &File, mode: Mode) -> io::Result<bool>;

    /// Blocks the thread until it has the lock.
    fn lock(file: &File, mode: Mode) -> io::Result<()>;

    /// Releases the lock, also for a child that has inherited the descriptor by a fork.
    fn unlock(file: &File) -> io::Result<()>;

    /// A process in the way of an exclusive lock; `None` if there is none. Only for a descriptor that
    /// was opened to ask: where the only way is to try, it is without a lock afterwards.
    fn locker(file: &File) -> io::Result<Option<Locker>>;

    /// What processes wait for in the kernel.
    type Waits;

    fn waits() -> Self::Waits;

    /// How many of them are for this file.
    fn waits_for(file: &File, waits: &Self::Waits) -> usize;

    /// Whether the file system has no lock to give.
    fn is_for_locks(error: &io::Error) -> bool;

    /// A clock that never goes back, in ticks of milliseconds. Looking at it costs next to
    /// nothing.
    fn tick() -> Tick;
}

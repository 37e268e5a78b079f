//! What the operating system has for locking a file.
//!
//! | | Linux | elsewhere |
//! |---|---|---|
//! | lock | open-file-description record lock on the whole file | [`std::fs::File::lock`] |
//! | excludes Python's oslo.concurrency and fasteners | yes | no |
//! | a symbolic link in the file's place | refused | refused on Unix |
//! | who holds a lock that is no lock of ours | the kernel tells the process | unknown |
//!
//! Both kinds belong to the open file and not to the process: two descriptors of one
//! process exclude each other, a lock ends when its last descriptor does, and the kernel
//! frees those of a process that ends, however it ends.

/// Somebody in the way of a lock.
pub(super) enum Locker {
    /// A process, by its id.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux tells who it is")
    )]
    Process(u32),
    /// Somebody who isn't named.
    Unnamed,
}

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(unix)]
mod unix;

#[cfg(target_os = "linux")]
pub(super) use linux::*;
#[cfg(not(target_os = "linux"))]
pub(super) use other::*;

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The directory for the lock files of one user, and whether it can be trusted. Makes it
/// where it is missing. `runtime` is where the session says that such directories are.
#[cfg(unix)]
pub(super) fn own_directory(
    runtime: Option<PathBuf>,
) -> (PathBuf, Result<(), (io::ErrorKind, &'static str)>) {
    unix::own_directory(runtime)
}

/// Whether such a directory can be trusted. Makes it where it is missing.
#[cfg(unix)]
pub(super) fn check_own(directory: &Path) -> Result<(), (io::ErrorKind, &'static str)> {
    unix::check_own(directory)
}

/// The directory for the lock files of one user: that of its temporary files, which is its
/// own.
#[cfg(not(unix))]
pub(super) fn own_directory(
    _runtime: Option<PathBuf>,
) -> (PathBuf, Result<(), (io::ErrorKind, &'static str)>) {
    (std::env::temp_dir().join("lockutils"), Ok(()))
}

#[cfg(not(unix))]
pub(super) fn check_own(_directory: &Path) -> Result<(), (io::ErrorKind, &'static str)> {
    Ok(())
}

/// Whether the process may write so many bytes at the beginning of a file. Who writes more than
/// it may is killed for it.
#[cfg(unix)]
pub(super) fn may_write(length: usize) -> bool {
    unix::may_write(length)
}

#[cfg(not(unix))]
pub(super) const fn may_write(_length: usize) -> bool {
    true
}

/// Whether the file at the path may be another program's, to which somebody else has given a
/// second name there.
#[cfg(unix)]
pub(super) fn may_be_planted(found: &Metadata, path: &Path) -> bool {
    unix::may_be_planted(found, path)
}

#[cfg(not(unix))]
pub(super) const fn may_be_planted(_found: &Metadata, _path: &Path) -> bool {
    false
}

/// Has the file be written to now, whoever it belongs to.
#[cfg(unix)]
pub(super) fn touch(file: &File) -> io::Result<()> {
    unix::touch(file)
}

#[cfg(not(unix))]
pub(super) fn touch(file: &File) -> io::Result<()> {
    file.set_modified(std::time::SystemTime::now())
}

//! Locks that can't be had, since their holder waits for us.
//!
//! `lockutils run` holds its locks until its command has ended. A command that runs it again for
//! one of them would wait for ever. So a run that is about to wait looks whether one of the processes
//! that it descends from has the lock. That is no guess: the kernel tells of each descriptor of a
//! process which lock it has. One that it doesn't tell of, since the process is another user's,
//! is taken for none. Of a lock of a server, the server says which process of this host has it.

use crate::{holder, process};
use lockutils::{FileLocks, Holder};
use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::iter;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};

/// A lock that an ancestor holds.
#[derive(Debug)]
pub(crate) struct HeldAbove {
    /// Its key, or its file.
    lock: PathBuf,
    pid: u32,
    command: Option<String>,
}

/// Looks for a lock that an ancestor holds, in a way that keeps us out.
pub(crate) fn holding(locks: &FileLocks, keys: &[OsString], shared: bool) -> Option<HeldAbove> {
    let paths: Vec<_> = keys.iter().flat_map(|key| locks.path(key)).collect();
    let mut found = None;
    // The one furthest above has taken it; those below have inherited it.
    for pid in ancestors() {
        let holds = |path: &&PathBuf| holds(pid, path, shared);
        if let Some(lock) = paths.iter().find(holds).cloned() {
            let command = holder::command_of(pid);
            found = Some(HeldAbove { lock, pid, command });
        }
    }
    found
}

/// Looks for a lock of a server that an ancestor holds, among those who hold what is wanted.
pub(crate) fn among_holders(
    keys: &[OsString],
    holder: impl Fn(&OsString) -> Option<Holder>,
) -> Option<HeldAbove> {
    keys.iter().find_map(|key| {
        let holder = holder(key).filter(holder::is_here)?;
        let pid = holder.pid()?;
        let is_above = ancestors().any(|ancestor| ancestor == pid);
        is_above.then(|| HeldAbove {
            lock: PathBuf::from(key),
            pid,
            command: holder::command(&holder),
        })
    })
}

/// From the parent upwards.
fn ancestors() -> impl Iterator<Item = u32> {
    let exists = |pid: &u32| *pid != 0;
    iter::successors(Some(parent_id()).filter(exists), move |pid| {
        process::parent(*pid).filter(exists)
    })
}

/// Whether a process has a lock file open, with a lock that is in our way.
fn holds(pid: u32, path: &Path, shared: bool) -> bool {
    let Ok(file) = fs::metadata(path) else {
        return false;
    };
    let is_it = |open: &PathBuf| {
        let open = fs::metadata(open);
        open.is_ok_and(|open| (open.dev(), open.ino()) == (file.dev(), file.ino()))
    };
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
    let mut open = descriptors.into_iter().flatten().flatten();
    open.any(|descriptor| {
        if !is_it(&descriptor.path()) {
            return false;
        }
        let infos = PathBuf::from(format!("/proc/{pid}/fdinfo"));
        let info = fs::read_to_string(infos.join(descriptor.file_name()));
        // `lock:  1: OFDLCK  ADVISORY  WRITE -1 fe:00:1234 0 EOF`; one of flock(2) is another kind.
        info.unwrap_or_default().lines().any(|line| {
            let is_ours = line.starts_with("lock:") && !line.contains(" FLOCK ");
            is_ours && (!shared || line.contains(" WRITE "))
        })
    })
}

impl fmt::Display for HeldAbove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lock, pid, command } = self;
        write!(f, "lock {lock:?} is held by process {pid}")?;
        if let Some(command) = command {
            write!(f, " ({})", holder::cut(command.clone()))?;
        }
        f.write_str(
            ", which has started this one and may wait for it for ever; \
             have that one take all the locks, and leave this lock out here",
        )
    }
}

impl Error for HeldAbove {}

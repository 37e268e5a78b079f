//! Names of lock files, and who uses a file.
//!
//! A [`Link`] is a name that has led to a lock file: a directory, as its space spells it, and the
//! file's name there. It doesn't know the file, which may have several names; the
//! [`table`](super::table) has them in pairs. A [`Usage`] is what a file knows of its users.

use super::directory::Directory;
use super::path;
use crate::key::Key;
use crate::table::hash::{TableHasher, draw_seeds, hash as hash_text};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A name of a lock file.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) directory: &'static Directory,
    pub(super) name: Key,
    pub(super) path: PathBuf,
    /// Whether the key of the same text has this name, where names begin with nothing else.
    pub(super) is_key: bool,
    /// How many in this process hold or await the file's lock by this name. Like [`Usage`] it
    /// only changes under the table's mutex.
    pub(super) users: AtomicUsize,
    /// How many of them hold it. It only changes under the file's mutex, and so is relaxed.
    pub(super) holders: AtomicUsize,
}

/// Who uses a lock file. It only changes under the table's mutex, and so all of it is relaxed;
/// elsewhere it is a hint.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// How many in this process hold or await its lock.
    pub(super) users: AtomicUsize,
    /// When its last user left, as the table counts uses, if it is open without being used; else
    /// zero.
    pub(super) kept_since: AtomicU64,
    /// How many names lead to it.
    pub(super) names: AtomicUsize,
}

/// Adds one to a number that changes under a mutex only, and gives what it was. A step that others can't
/// come between takes several times as long.
pub(super) fn add_one(number: &AtomicUsize) -> usize {
    let before = number.load(Ordering::Relaxed);
    number.store(before + 1, Ordering::Relaxed);
    before
}

/// Takes one from such a number, and gives what it was.
pub(super) fn take_one(number: &AtomicUsize) -> usize {
    let before = number.load(Ordering::Relaxed);
    number.store(before - 1, Ordering::Relaxed);
    before
}

impl Usage {
    pub(super) fn users(&self) -> usize {
        self.users.load(Ordering::Relaxed)
    }

    /// Whether somebody else than the caller uses it.
    pub(super) fn has_others(&self) -> bool {
        self.users() > 1
    }
}

impl Link {
    /// A name that nobody uses yet.
    pub(super) fn new(directory: &'static Directory, name: Key, path: PathBuf) -> Self {
        Self {
            directory,
            is_key: path::is_name(name.as_bytes()),
            name,
            path,
            users: AtomicUsize::new(0),
            holders: AtomicUsize::new(0),
        }
    }

    /// Whether somebody in this process holds the file by this name.
    pub(super) fn is_held_by(&self) -> bool {
        self.holders.load(Ordering::Relaxed) > 0
    }

    pub(super) fn is(&self, directory: &'static Directory, name: &Key) -> bool {
        std::ptr::eq(self.directory, directory) && self.name == *name
    }

    pub(super) fn hash(&self) -> u64 {
        hash(self.directory, &self.name)
    }
}

pub(super) fn hash(directory: &'static Directory, name: &Key) -> u64 {
    draw_seeds();
    hash_text(std::ptr::from_ref(directory).addr() as u64, name.as_bytes())
}

pub(super) fn hash_of(value: &impl Hash) -> u64 {
    BuildHasherDefault::<TableHasher>::default().hash_one(value)
}

//! Which lock files the process uses, and which it keeps open.
//!
//! A file is in the table while somebody in the process holds or awaits its lock, and
//! afterwards for as long as its descriptor is kept: opening it anew would cost several
//! times what taking the lock does. Of the files that nobody uses, those that were used last
//! are kept open, [`KEPT`] of them in all unless [`set_kept`] says otherwise.
//!
//! The table's mutex may be locked first and a file's then, not the other way round.

use super::Directory;
use super::kernel::LockFile;
use crate::key::Key;
use hashbrown::hash_table::{Entry, HashTable};
use parking_lot::Mutex;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How many files are kept open without being used, unless [`set_kept`] says otherwise.
pub(super) const KEPT: usize = 64;

static FILES: Mutex<Files> = Mutex::new(Files {
    table: HashTable::new(),
    uses: 0,
    kept: 0,
    most_kept: KEPT,
});

struct Files {
    table: HashTable<Line>,
    /// How often a file was used last by somebody, which gives the order of it.
    uses: u64,
    /// How many are open without being used.
    kept: usize,
    most_kept: usize,
}

struct Line {
    file: Arc<LockFile>,
    /// When its last user left, by [`Files::uses`], if it is open without being used.
    kept_since: Option<u64>,
}

/// A lock file, in use for as long as this lives.
#[derive(Debug)]
pub(super) struct InUse(Arc<LockFile>);

impl InUse {
    pub(super) fn of(directory: &'static Directory, name: &Key) -> Self {
        let hash = hash(directory, name);
        let mut files = FILES.lock();
        let Files { table, kept, .. } = &mut *files;
        let file = match table.entry(hash, |line| line.file.is(directory, name), rehash) {
            Entry::Occupied(mut line) => {
                let line = line.get_mut();
                if line.kept_since.take().is_some() {
                    *kept -= 1;
                }
                Arc::clone(&line.file)
            }
            Entry::Vacant(free) => {
                let file = Arc::new(LockFile::new(directory, name.clone()));
                free.insert(Line {
                    file: Arc::clone(&file),
                    kept_since: None,
                });
                file
            }
        };
        // Relaxed, here and below: it only changes under the mutex. Elsewhere it is a hint.
        file.users.fetch_add(1, Ordering::Relaxed);
        Self(file)
    }
}

impl Deref for InUse {
    type Target = Arc<LockFile>;

    fn deref(&self) -> &Arc<LockFile> {
        &self.0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut closed = Vec::new();
        let mut files = FILES.lock();
        if self.0.users.fetch_sub(1, Ordering::Relaxed) == 1 {
            files.put_away(&self.0);
            let most = files.most_kept;
            files.close_beyond(most, &mut closed);
        }
        drop(files); // Before those that are closed are.
    }
}

/// Has up to `most` files be kept open without being used.
pub(super) fn set_kept(most: usize) {
    let mut closed = Vec::new();
    let mut files = FILES.lock();
    files.most_kept = most;
    files.close_beyond(most, &mut closed);
    drop(files);
}

/// Closes all files that nobody uses.
pub(super) fn close_unused() {
    let mut closed = Vec::new();
    let mut files = FILES.lock();
    files.close_beyond(0, &mut closed);
    drop(files);
}

/// Forgets a file of which nothing is left.
pub(super) fn tidy(file: &Arc<LockFile>) {
    let mut files = FILES.lock();
    if file.users.load(Ordering::Relaxed) == 0 {
        files.put_away(file);
    }
}

impl Files {
    /// Keeps or forgets a file that nobody uses.
    fn put_away(&mut self, file: &Arc<LockFile>) {
        let Ok(mut line) = self
            .table
            .find_entry(hash(file.directory, &file.name), |line| {
                Arc::ptr_eq(&line.file, file)
            })
        else {
            return;
        };
        let rest = file.put_away();
        if !rest.is_open && !rest.is_awaited {
            let (line, _) = line.remove();
            self.kept -= usize::from(line.kept_since.is_some());
        } else if rest.is_open && line.get().kept_since.is_none() {
            line.get_mut().kept_since = Some(self.uses);
            self.uses += 1;
            self.kept += 1;
        }
    }

    /// Closes those that were used longest ago.
    fn close_beyond(&mut self, most: usize, closed: &mut Vec<Line>) {
        while self.kept > most {
            let kept = |line: &Line| Some((line.kept_since?, hash_of(line)));
            let Some((oldest, hash)) = self.table.iter().filter_map(kept).min() else {
                return;
            };
            let is_it = |line: &Line| line.kept_since == Some(oldest);
            if let Ok(line) = self.table.find_entry(hash, is_it) {
                closed.push(line.remove().0);
            }
            self.kept -= 1;
        }
    }
}

fn hash(directory: &'static Directory, name: &Key) -> u64 {
    directory.locks.hash(name)
}

fn hash_of(line: &Line) -> u64 {
    hash(line.file.directory, &line.file.name)
}

fn rehash(line: &Line) -> u64 {
    hash_of(line)
}

//! Taking a lock file that the process knows and that is free, as most are that somebody wants.
//!
//! [`Outside`](crate::outside::Outside) takes any lock, in steps, and keeps what the next step and an error would need.
//! Here a thread takes the same two locks, that in the process and the kernel's, in one go, or
//! neither: whoever is in the way, the steps find out anew. It saves two fifths of the instructions.

use super::engine::Files;
use super::path::Rule;
use super::refresh;
use super::step::{Manner, Tried};
use super::table::FileInUse;
use crate::guard::Guard;
use crate::held::{Held, Holding};
use crate::key::Key;
use crate::name::Taken;
use crate::outside::Engine as _;
use crate::site::Site;
use crate::table::Hold;
use crate::table::policy::Terms;
use std::fs::File;
use std::io;

/// A lock file that was taken at once. Dropping it releases the kernel's lock, by its own `drop`, then that in the
/// process, and then ends the use of the file, which are its last fields in this order.
struct AtOnce {
    rule: Rule,
    taken: Taken,
    in_process: Hold,
    file: FileInUse,
}

/// What kept a thread from taking a lock at once.
pub(super) enum Missed {
    /// The process doesn't know its file yet.
    File,
    /// Somebody has it or had it a moment ago, or something is wrong with its file.
    Lock,
}

/// Takes the lock of a key for a thread if it is free, and its file known; else nothing is held. With `spins` it
/// also waits for another thread for about as long as it takes to block.
///
/// It is not for it to fail: what is wrong with the file, the steps find out too.
#[track_caller]
pub(super) fn lock(
    files: &Files,
    key: &Key,
    terms: Terms,
    site: Site,
    spins: bool,
) -> Result<Guard, Missed> {
    let file = find(files, key).ok_or(Missed::File)?;
    let line = file.line();
    let called = line.called(key).as_bytes();
    // After `file`, and so dropped before it where the lock isn't to be had.
    let in_process = if spins {
        line.locks.take_soon(called, terms, site, Files::IS_BRIEF)
    } else {
        line.locks.take_thin(called, terms.mode, site)
    };
    let in_process = in_process.ok_or(Missed::Lock)?;
    let (rule, Terms { mode, reentry }) = (files.space.rule, terms);
    let tried = file.try_take(Manner {
        rule,
        mode,
        reentry,
        site,
        gives_way: true,
    });
    let Ok(Tried::Taken { anew }) = tried else {
        return Err(Missed::Lock);
    };
    if anew {
        refresh::start();
    }
    let taken = Taken {
        space: files.name(),
        key: key.clone(),
        site,
    };
    Ok(Guard::new(Held::more(Box::new(AtOnce {
        rule,
        taken,
        in_process,
        file,
    }))))
}

/// The file of a key, if the process knows it.
fn find(files: &Files, key: &Key) -> Option<FileInUse> {
    if files.space.refused.is_some() {
        return None;
    }
    let directory = files.space.directory;
    if files.space.rule == Rule::Own && files.beginning.is_empty() {
        return FileInUse::known_by_key(directory, key);
    }
    FileInUse::known(directory, &files.locate(key).ok()?)
}

impl Holding for AtOnce {
    fn taken(&self) -> Vec<Taken> {
        vec![self.taken.clone()]
    }

    fn disown(&self) {
        self.in_process.disown();
    }

    fn files(&self) -> io::Result<Vec<File>> {
        Ok(vec![self.file.duplicate()?])
    }
}

impl Drop for AtOnce {
    fn drop(&mut self) {
        self.file.release(self.rule);
    }
}

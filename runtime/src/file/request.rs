//! One lock file that somebody wants, and what is said where it isn't to be had.

use super::FileSpace;
use super::descriptor::Failure;
use super::hold::FileHold;
use super::kernel::{Manner, Tried};
use super::table::InUse;
use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::name::Taken;
use crate::owner::Owner;
use crate::site::Site;
use crate::table::policy::Terms;
use std::io;

/// How often a file may be replaced while one tries to lock it. Somebody who removes it and makes
/// it as fast as that goes can be lucky a hundred times.
pub(super) const ATTEMPTS: usize = 1000;

/// One lock file to take, how, and where in the code.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) space: FileSpace,
    pub(super) key: Key,
    pub(super) name: Key,
    pub(super) terms: Terms,
    pub(super) site: Site,
}

impl Request {
    pub(super) fn taken(&self) -> Taken {
        Taken {
            space: self.space.name,
            key: self.key.clone(),
            site: self.site,
        }
    }

    pub(super) fn manner(&self) -> Manner {
        Manner::new(self.space.rule, self.terms, self.site)
    }

    /// Takes the lock, of which the caller holds no other name, if that needs no waiting.
    pub(super) fn try_alone(&self, owner: Owner) -> Result<FileHold, Error> {
        let hold = self.try_now(owner, &[])?;
        Ok(hold.expect("there is nothing that it could be held with"))
    }

    /// Takes the lock if that needs no waiting; `None` if it is one of those that are held.
    pub(super) fn try_now(
        &self,
        owner: Owner,
        held: &[FileHold],
    ) -> Result<Option<FileHold>, Error> {
        let failed = |failure| self.failed(failure);
        let mut file = InUse::of(self.space.directory, &self.name).map_err(failed)?;
        for _ in 0..ATTEMPTS {
            if is_among(&file, held).map_err(failed)? {
                return Ok(None);
            }
            let queue = file.queue(self.terms, self.site);
            let in_process = match queue.try_now(owner) {
                Ok(in_process) => in_process,
                Err(error) => return Err(self.of_this_lock(error, &file)),
            };
            let manner = Manner {
                gives_way: false,
                ..self.manner()
            };
            match file.try_take(manner).map_err(failed)? {
                Tried::Taken => {
                    return Ok(Some(FileHold::new(self, file, in_process)));
                }
                Tried::Busy | Tried::Paused(_) => {
                    return Err(self.refused(ErrorKind::Busy, &file));
                }
                Tried::Elsewhere => {
                    let found = file.anew().map_err(failed)?;
                    drop(in_process); // Before its file is out of use.
                    file = found;
                }
            }
        }
        Err(self.failed(replaced()))
    }

    /// The error of who finds the kernel's lock taken.
    pub(super) fn refused(&self, kind: ErrorKind, file: &InUse) -> Error {
        let holder = self.holder().ok().flatten();
        Error::new(kind, self.space.name, self.key.clone(), holder).with_file(file.path())
    }

    pub(super) fn failed(&self, failure: Failure) -> Error {
        self.space.failed(self.key.clone(), self.path(), failure)
    }

    /// What the in-process lock's error means here.
    pub(super) fn of_this_lock(&self, error: Error, file: &InUse) -> Error {
        let error = error.renamed(self.space.name, self.key.clone(), file.path());
        if file.is_held() || error.kind() == ErrorKind::Deadlock {
            return error;
        }
        // Who has the in-process lock waits for another process.
        match self.holder() {
            Ok(Some(holder)) => error.with_holder(Some(holder)),
            Ok(None) | Err(_) => error,
        }
    }
}

/// Whether a file is one of those that are held, by whatever name.
pub(super) fn is_among(file: &InUse, held: &[FileHold]) -> Result<bool, Failure> {
    Ok(held.iter().any(|hold| hold.file().is_same(file)) && file.leads_here()?)
}

pub(super) fn replaced() -> Failure {
    Failure::of("lock file")(io::Error::other("it is replaced again and again"))
}

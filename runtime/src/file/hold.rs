//! Lock files that are held.

use super::kernel::Tried;
use super::path::Rule;
use super::request::Request;
use super::table::InUse;
use crate::held::Held;
use crate::held::Holding;
use crate::name::Taken;
use std::fs::File;
use std::io;

/// A lock file that is held; dropping it releases.
pub(super) struct FileHold {
    file: InUse,
    rule: Rule,
    in_process: Option<Held>,
    taken: Taken,
}

impl FileHold {
    /// Takes a lock for a thread if it is free, or soon is; also `None` if something is
    /// wrong with it.
    pub(super) fn try_soon(request: &Request) -> Option<Self> {
        let Request {
            space, name, terms, ..
        } = request;
        let file = InUse::of(space.directory, name).ok()?;
        let held = file.try_soon(*terms, request.site)?;
        match file.try_take(request.manner()) {
            Ok(Tried::Taken) => Some(Self::new(request, file, held)),
            Ok(Tried::Busy | Tried::Paused(_) | Tried::Elsewhere) | Err(_) => None,
        }
    }

    /// Of who has the kernel's lock and the in-process one.
    pub(super) fn new(request: &Request, file: InUse, in_process: Held) -> Self {
        Self {
            file,
            rule: request.space.rule,
            in_process: Some(in_process),
            taken: request.taken(),
        }
    }

    /// Its lock, for people.
    pub(super) fn of(&self) -> Taken {
        self.taken.clone()
    }

    /// As a guard has it.
    pub(super) fn into_held(self) -> Held {
        Held::more(self)
    }

    pub(super) fn file(&self) -> &InUse {
        &self.file
    }
}

impl Holding for FileHold {
    fn taken(&self) -> Vec<Taken> {
        vec![self.of()]
    }

    fn disown(&self) {
        self.in_process.iter().for_each(Held::disown);
    }

    fn files(&self) -> io::Result<Vec<File>> {
        Ok(vec![self.file.duplicate()?])
    }
}

impl Drop for FileHold {
    fn drop(&mut self) {
        self.file.release(self.rule);
        // Before the file is out of use: who is the last to use it has nobody beside it.
        self.in_process = None;
    }
}

/// Several of them, which are released in reverse.
pub(super) struct AllHeld(pub(super) Vec<FileHold>);

impl Holding for AllHeld {
    fn taken(&self) -> Vec<Taken> {
        self.0.iter().map(FileHold::of).collect()
    }

    fn disown(&self) {
        self.0.iter().for_each(FileHold::disown);
    }

    fn files(&self) -> io::Result<Vec<File>> {
        self.0.iter().map(|hold| hold.file.duplicate()).collect()
    }
}

impl Drop for AllHeld {
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}

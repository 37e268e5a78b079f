//! Who looks at lock files, and who removes them.

use super::acquire::Request;
use super::descriptor::{self, Failure};
use super::path::{self, Rule};
use super::table::InUse;
use super::{FileLocks, sys};
use crate::error::{Error, ErrorKind};
use crate::guard::Guard;
use crate::key::{Key, LockKey};
use crate::local::{self, Terms};
use crate::owner::Owner;
use crate::site::{Holder, Site};
use crate::snapshot::LockState;
use std::fs;
use std::io;
use std::path::PathBuf;

/// What [`FileLocks::sweep`] has done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Swept {
    /// The keys of the lock files that are gone. One whose file's name was cut is that name.
    pub removed: Vec<Key>,
    /// The locks that somebody holds, whose files stay:
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy), and who it is.
    pub busy: Vec<Error>,
}

impl FileLocks {
    /// The lock file of a key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) if the key has none.
    #[track_caller]
    pub fn path(&self, key: impl LockKey) -> Result<PathBuf, Error> {
        let request = self.request(&key, Terms::EXCLUSIVE, Site::here())?;
        Ok(request.path())
    }

    /// Removes the lock file of a key, and tells whether there was one.
    ///
    /// Safe at any time: the file is removed under its lock, and those who wait for it go on
    /// with a new one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if somebody holds the lock;
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file can't be removed, and always in a
    /// space made by [`FileLocks::oslo`], since Python's programs don't notice when a file
    /// they wait for is removed.
    ///
    /// # Examples
    ///
    /// ```
    /// # let directory = std::env::temp_dir().join(format!("lockutils-doc-rm-{}", std::process::id()));
    /// let locks = lockutils::FileLocks::new(&directory);
    /// drop(locks.key("volume-7").lock()?);
    /// assert!(locks.remove("volume-7")?);
    /// assert!(!locks.remove("volume-7")?);
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    #[track_caller]
    pub fn remove(&self, key: impl LockKey) -> Result<bool, Error> {
        let request = self.request(&key, Terms::EXCLUSIVE, Site::here())?;
        request.may_be_removed()?;
        match sys::identity_at(&request.path()) {
            Ok(Some(_)) => request.remove(),
            Ok(None) => Ok(false),
            Err(error) => Err(request.failed(Failure::of("look at lock file")(error))),
        }
    }

    /// Removes the lock files of the space that nobody holds, and tells which those were.
    ///
    /// Safe at any time, as [`FileLocks::remove`]. Only files in which a holder has written
    /// who it is are removed, so other things in the directory stay; so do lock files of
    /// which the holder was killed before it could write.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the directory can't be read, or a file not be
    /// removed; and always in a space made by [`FileLocks::oslo`].
    #[track_caller]
    pub fn sweep(&self) -> Result<Swept, Error> {
        let site = Site::here();
        let mut swept = Swept {
            removed: Vec::new(),
            busy: Vec::new(),
        };
        for request in self.files(site)? {
            request.may_be_removed()?;
            let is_ours = sys::open_to_read(&request.path())
                .is_ok_and(|file| descriptor::record(&file).is_some());
            if !is_ours {
                continue;
            }
            match request.remove() {
                Ok(true) => swept.removed.push(request.key),
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::Busy => swept.busy.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(swept)
    }

    /// The locks of the space that are held now, in whatever process, in the order of their
    /// keys.
    ///
    /// Of shared holders one is named. The waiters are those of this process, and on Linux
    /// those of others that wait in the kernel; who tries again and again, as Python's programs
    /// do, can't be counted. Files that can't be read are left out. The programs go on while
    /// this looks, so two lines need not have been true at one moment.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the directory can't be read.
    #[track_caller]
    pub fn states(&self) -> Result<Vec<LockState>, Error> {
        let site = Site::here();
        let in_process = local::states(|_| true);
        let waits = sys::waits();
        let mut states = Vec::new();
        for request in self.files(site)? {
            let Ok(file) = sys::open_to_read(&request.path()) else {
                continue;
            };
            if !matches!(sys::locker(&file), Ok(Some(_))) {
                continue;
            }
            let elsewhere = match sys::identity(&file) {
                Ok(identity) => waits.iter().filter(|wait| **wait == identity).count(),
                Err(_) => 0,
            };
            let locks = &self.space.directory.locks;
            let own = in_process
                .iter()
                .find(|lock| lock.space == locks.name() && lock.key == request.name);
            states.push(LockState {
                space: self.space.name,
                holders: Vec::from_iter(descriptor::holder(&file, self.space.rule)),
                key: request.key,
                waiters: elsewhere + own.map_or(0, |lock| lock.waiters),
                longest_wait: own.and_then(|lock| lock.longest_wait),
                suspected_deadlock: own.is_some_and(|lock| lock.suspected_deadlock),
            });
        }
        states.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(states)
    }

    /// The lock files that there are, as far as their names can be ours.
    fn files(&self, site: Site) -> Result<Vec<Request>, Error> {
        if let Some(refused) = self.space.refused {
            return Err(self.space.refuse(Key::default(), refused));
        }
        let failed = |error| {
            let path = self.space.directory.path.clone();
            let failure = Failure::of("read directory")(error);
            self.space.failed(Key::default(), path, failure)
        };
        let entries = match fs::read_dir(&self.space.directory.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut requests = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            if let Some(rest) = name.strip_prefix(&self.beginning) {
                let key = path::key_of(self.space.rule, rest);
                requests.push(Request {
                    space: self.space,
                    key: Key::new(key.as_deref().unwrap_or(rest)),
                    name: Key::new(&name),
                    terms: Terms::EXCLUSIVE,
                    site,
                });
            }
        }
        Ok(requests)
    }
}

impl Request {
    pub(super) fn path(&self) -> PathBuf {
        self.space.directory.path.join(self.name.as_str())
    }

    pub(super) fn try_lock(&self) -> Result<Guard, Error> {
        let hold = self.try_now(Owner::thread())?;
        Ok(Guard::new(hold.into_held()))
    }

    pub(super) fn is_locked(&self) -> Result<bool, Error> {
        if InUse::of(self.space.directory, &self.name).is_held() {
            return Ok(true);
        }
        let locker = match sys::open_to_read(&self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file.and_then(|file| sys::locker(&file)),
        };
        match locker {
            Ok(locker) => Ok(locker.is_some()),
            Err(error) => Err(self.failed(Failure::of("look at lock file")(error))),
        }
    }

    pub(super) fn holder(&self) -> Result<Option<Holder>, Error> {
        match sys::open_to_read(&self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(Failure::of("look at")(error))),
            Ok(file) => Ok(descriptor::holder(&file, self.space.rule)),
        }
    }

    fn may_be_removed(&self) -> Result<(), Error> {
        if self.space.rule == Rule::Own {
            return Ok(());
        }
        let error = io::Error::new(
            io::ErrorKind::Unsupported,
            "programs that use oslo.concurrency don't notice it",
        );
        Err(self.failed(Failure::of("remove lock file")(error)))
    }

    fn remove(&self) -> Result<bool, Error> {
        let hold = self.try_now(Owner::thread())?;
        match hold.file().remove() {
            Err(failure) if failure.source.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(failure) => Err(self.failed(failure)),
            Ok(()) => Ok(true),
        }
    }
}

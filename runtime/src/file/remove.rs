//! Removing lock files.
//!
//! A file is removed under its own lock, taken as any other, so that nobody holds it; those who
//! wait for it find out when they get it, and go on with a new one. Where the name leads to another
//! file by then, it is tried again. Only files that a holder has written to are swept.

use super::descriptor::{self, Failure};
use super::inspect::{Found, Named};
use super::locks::FileLocks;
use super::path::Rule;
use super::sys::{Files as _, Os};
use crate::error::{Error, ErrorKind};
use crate::key::{Key, LockKey};
use crate::outside::{ATTEMPTS, Outside};
use crate::refusal::Refusal;
use crate::site::Site;
use crate::table::policy::Mode;
use std::io;

/// What [`FileLocks::sweep`] has done.
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// # let directory = std::env::temp_dir().join(format!("lockutils-doc-swept-{}", std::process::id()));
/// let locks = FileLocks::new(&directory);
/// drop(locks.key("old").lock()?);
/// let held = locks.key("held").lock()?;
/// let swept = locks.sweep()?;
/// assert_eq!(swept.removed[0].as_str(), "old");
/// assert_eq!(swept.busy[0].key(), Some("held"));
/// assert!(swept.failed.is_empty());
/// # drop(held);
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), lockutils::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Swept {
    /// The keys of the lock files that are gone. One whose file's name was cut is that name.
    pub removed: Vec<Key>,
    /// The locks that somebody holds, whose files stay:
    /// [`ErrorKind::Busy`], and who it is.
    pub busy: Vec<Error>,
    /// What could not be looked at, or not be removed:
    /// [`ErrorKind::Io`], with the path and the reason.
    pub failed: Vec<Error>,
}

impl FileLocks {
    /// Removes the lock file of a key, and tells whether there was one.
    ///
    /// Safe at any time: the file is removed under its lock, and those who wait for it go on
    /// with a new one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] if somebody holds the lock;
    /// [`ErrorKind::Io`] if the file can't be removed, and always in a
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
        let named = self.named(Key::of(&key))?;
        let allowed = named.space.rule.lets_files_be_removed();
        allowed.map_err(|failure| named.failed(failure))?;
        self.remove_named(&named, Site::here())
    }

    /// Removes the lock files of the space that nobody holds, and tells which those were.
    ///
    /// Safe at any time, as [`FileLocks::remove`]. Only files in which a holder has written
    /// who it is are removed, so other things in the directory stay; so do lock files of
    /// which the holder could not write, or was killed before it did. One that can't be
    /// removed is no reason to leave the others: it is among [`Swept::failed`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if the directory can't be read; and always in a
    /// space made by [`FileLocks::oslo`].
    ///
    /// # Examples
    ///
    /// ```
    /// # let directory = std::env::temp_dir().join(format!("lockutils-doc-sweep-{}", std::process::id()));
    /// let locks = lockutils::FileLocks::new(&directory);
    /// drop(locks.key("volume-7").lock()?);
    /// let _guard = locks.key("volume-8").lock()?;
    /// let swept = locks.sweep()?;
    /// assert_eq!(swept.removed[0].as_str(), "volume-7");
    /// assert_eq!(swept.busy[0].key(), Some("volume-8"));
    /// assert!(swept.failed.is_empty());
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    #[track_caller]
    pub fn sweep(&self) -> Result<Swept, Error> {
        let space = self.files().space;
        if let Err(failure) = space.rule.lets_files_be_removed() {
            let directory = Some(space.directory.path.clone());
            let refusal = Refusal::from(failure);
            return Err(refusal.of(space.name, Key::default(), directory));
        }
        let site = Site::here();
        let Found { files, failed } = self.find()?;
        let mut swept = Swept {
            removed: Vec::new(),
            busy: Vec::new(),
            failed,
        };
        for named in files {
            match self.sweep_named(&named, site) {
                Ok(true) => swept.removed.push(named.key),
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::Busy => swept.busy.push(error),
                Err(error) => swept.failed.push(error),
            }
        }
        Ok(swept)
    }

    /// Removes the file under its lock, if there is one, and tells whether there was.
    fn remove_named(&self, named: &Named, site: Site) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            match Os::identity_at(&named.path()) {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(false),
                Err(error) => return Err(named.not_seen(error)),
            }
            let (key, name) = (named.key.clone(), named.name.clone());
            let engine = self.0.shared_engine();
            let machine = Outside::named(engine, key, name, Mode::Exclusive, site);
            match machine.try_alone()?.place().file.remove() {
                Ok(true) => return Ok(true),
                Ok(false) => {} // Somebody has put another one in its place.
                Err(failure) if failure.source.kind() == io::ErrorKind::NotFound => {
                    return Ok(false);
                }
                Err(failure) => return Err(named.failed(failure)),
            }
        }
        let error = io::Error::other("it is replaced again and again");
        Err(named.failed(Failure::of("remove lock file")(error)))
    }

    /// Removes the file if it is a lock file, and tells whether it was.
    fn sweep_named(&self, named: &Named, site: Site) -> Result<bool, Error> {
        let Some(file) = named.open_to_read()? else {
            return Ok(false);
        };
        let record = descriptor::record(&file);
        drop(file); // While it is open some systems don't remove it.
        match record {
            Ok(Some(_)) => self.remove_named(named, site),
            Ok(None) => Ok(false),
            Err(error) => Err(named.not_seen(error)),
        }
    }
}

impl Rule {
    fn lets_files_be_removed(self) -> Result<(), Failure> {
        if self == Self::Own {
            return Ok(());
        }
        let error = io::Error::new(
            io::ErrorKind::Unsupported,
            "programs that use oslo.concurrency don't notice it",
        );
        Err(Failure::of("remove lock file")(error))
    }
}

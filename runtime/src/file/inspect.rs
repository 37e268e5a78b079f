//! Looking at lock files: which there are, which of them are held and by whom, and how many wait.
//!
//! A space's files are found by their names, see [`FileLocks::existing`]; whether one is held is
//! asked of the kernel, without taking the lock; its holder is read from its record, and its waiters
//! from the lines that the processes write, and from what the kernel shows of its own waits.

use super::count::Count;
use super::descriptor::{self, Failure};
use super::directory::FileSpace;
use super::engine::Files;
use super::follow;
use super::kernel::LockFile;
use super::locks::FileLocks;
use super::path::{self, Rule};
use super::sys::{Files as _, KernelLocks, Os};
use super::table;
use crate::error::Error;
use crate::holder::Holder;
use crate::inspectable::Inspect;
use crate::key::{Key, LockKey};
use crate::ordered::{OrderedSet, sort};
use crate::outside::Engine as _;
use crate::refusal::Refusal;
use crate::state::LockState;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::Duration;

/// One lock file of a space.
pub(super) struct Named {
    pub(super) space: FileSpace,
    pub(super) key: Key,
    pub(super) name: Key,
}

/// What [`FileLocks::look`] has found.
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// # let directory = std::env::temp_dir().join(format!("lockutils-doc-states-{}", std::process::id()));
/// let locks = FileLocks::new(&directory);
/// let guard = locks.key("schema").lock()?;
/// let found = locks.look()?;
/// assert_eq!(found.held[0].key.as_str(), "schema");
/// for error in &found.failed {
///     eprintln!("{error}");
/// }
/// # drop(guard);
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), lockutils::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileStates {
    /// The locks that somebody holds, in the order of their keys.
    pub held: Vec<LockState>,
    /// What could not be looked at, so that nobody knows whether it is held:
    /// [`ErrorKind::Io`](crate::ErrorKind::Io), with the path and the reason.
    pub failed: Vec<Error>,
}

/// What there is in a directory, as far as the names can be those of a space.
pub(super) struct Found {
    pub(super) files: Vec<Named>,
    pub(super) failed: Vec<Error>,
}

impl Inspect for FileLocks {
    fn is_locked(&self, key: &Key) -> Result<bool, Error> {
        self.named(key.clone())?.is_locked()
    }

    fn holder(&self, key: &Key) -> Result<Option<Holder>, Error> {
        self.named(key.clone())?.holder()
    }

    /// The file.
    fn lock_name(&self, key: &Key) -> String {
        match self.named(key.clone()) {
            Ok(named) => format!("{:?}", named.path().to_string_lossy()),
            Err(_) => String::new(),
        }
    }
}

impl FileLocks {
    /// The lock file of a key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) if the key has none.
    #[track_caller]
    pub fn path(&self, key: impl LockKey) -> Result<PathBuf, Error> {
        Ok(self.named(Key::of(&key))?.path())
    }

    /// The locks of the space that are held now, in whatever process.
    ///
    /// Of shared holders one is named. The programs go on while this looks, so two lines need not
    /// have been true at one moment.
    ///
    /// Whether a lock is [suspected](LockState::suspected_deadlock) of a deadlock is seen of other
    /// processes too, see [above](FileLocks#deadlocks-between-processes).
    ///
    /// The waiters are the threads and tasks of this process, and on Linux those of others: each
    /// process writes down how many it has, within a tenth of a second, for up to 29 processes a
    /// lock. One that doesn't, as foreign programs and those that can't write to the file, and one
    /// that this process can't look at, as those of another PID namespace or host, counts for one
    /// if it waits in the kernel. So it is the least number that there can be, but for a wait that begins or ends
    /// within that tenth of a second, which may be counted twice. Who tries again and
    /// again, as Python's programs do, and other processes with [`FileLocks::oslo`], can't be
    /// counted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the directory can't be read. A file that
    /// can't be is left out; [`FileLocks::look`] has those too.
    ///
    /// # Examples
    ///
    /// ```
    /// # let directory = std::env::temp_dir().join(format!("lockutils-doc-held-{}", std::process::id()));
    /// let locks = lockutils::FileLocks::new(&directory);
    /// let _guard = locks.key("volume-7").lock()?;
    /// let states = locks.states()?;
    /// assert_eq!(states[0].key.as_str(), "volume-7");
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    #[track_caller]
    pub fn states(&self) -> Result<Vec<LockState>, Error> {
        Ok(self.look()?.held)
    }

    /// The locks of the space that are held now, as [`FileLocks::states`], and what could not be
    /// looked at.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the directory can't be read.
    #[track_caller]
    pub fn look(&self) -> Result<FileStates, Error> {
        let Found { files, mut failed } = self.find()?;
        let waits = Os::waits();
        let mut held = Vec::new();
        for named in files {
            let file = match named.open_to_read() {
                Ok(Some(file)) => file,
                Ok(None) => continue,
                Err(error) => {
                    failed.push(error);
                    continue;
                }
            };
            match Os::locker(&file) {
                Ok(None) => continue,
                Ok(Some(_)) => {}
                Err(error) => {
                    failed.push(named.not_seen(error));
                    continue;
                }
            }
            let own = named.own(&file);
            let in_cycle = || follow::cycle(&file, &|_| true).is_some();
            let across = named.space.rule == Rule::Own && in_cycle();
            let (waiters, waiter_pids) = waiters(&file, own.as_ref(), &waits);
            let own = own.and_then(|file| file.line.locks.state(&file.line.name));
            held.push(LockState {
                space: named.space.name,
                holders: Vec::from_iter(descriptor::holder(&file, named.space.rule)),
                key: named.key,
                waiters,
                waiter_pids,
                longest_wait: own.as_ref().and_then(|lock| lock.longest_wait),
                waited: own.as_ref().map_or(Duration::ZERO, |lock| lock.waited),
                suspected_deadlock: across
                    || own.as_ref().is_some_and(|lock| lock.suspected_deadlock),
                queue: own.map_or_else(Vec::new, |lock| lock.queue),
            });
        }
        sort(&mut held, |a, b| a.key.cmp(&b.key));
        Ok(FileStates { held, failed })
    }

    /// The keys that have a file, whether anybody holds their locks or not, in order. What else is
    /// in the directory, and named as a lock file could be, is among them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the directory can't be read.
    ///
    /// # Examples
    ///
    /// ```
    /// # let directory = std::env::temp_dir().join(format!("lockutils-doc-existing-{}", std::process::id()));
    /// let locks = lockutils::FileLocks::new(&directory);
    /// drop(locks.key("volume-7").lock()?);
    /// assert_eq!(locks.existing()?[0].as_str(), "volume-7");
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    #[track_caller]
    pub fn existing(&self) -> Result<Vec<Key>, Error> {
        let found = self.find()?;
        let mut keys: Vec<_> = found.files.into_iter().map(|file| file.key).collect();
        sort(&mut keys, Ord::cmp);
        Ok(keys)
    }

    pub(super) fn named(&self, key: Key) -> Result<Named, Error> {
        let files = self.files();
        let space = files.space;
        match files.locate(&key) {
            Ok(name) => Ok(Named { space, key, name }),
            Err(refusal) => Err(refusal.of(space.name, key, None)),
        }
    }

    /// Looks what there is. What vanishes meanwhile was not there.
    pub(super) fn find(&self) -> Result<Found, Error> {
        let Files {
            space, beginning, ..
        } = self.files();
        let space = *space;
        if let Some(refused) = space.refused {
            return Err(space.refuse(refused).of(space.name, Key::default(), None));
        }
        let directory = &space.directory.path;
        let failed = |path: &Path, tried, error| {
            let refusal = Refusal::from(Failure::of(tried)(error));
            refusal.of(space.name, Key::default(), Some(path.into()))
        };
        let mut found = Found {
            files: Vec::new(),
            failed: Vec::new(),
        };
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            entries => entries.map_err(|error| failed(directory, "read directory", error))?,
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                // The directory is removed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    let error = failed(directory, "read all of directory", error);
                    found.failed.push(error);
                    continue;
                }
            };
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let Some(rest) = name.strip_prefix(beginning.as_str()) else {
                continue;
            };
            match entry.file_type() {
                Ok(kind) if kind.is_file() => {
                    let key = path::key_of(space.rule, rest);
                    found.files.push(Named {
                        space,
                        key: Key::new(key.as_deref().unwrap_or(rest)),
                        name: Key::new(&name),
                    });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let error = failed(&entry.path(), "look at", error);
                    found.failed.push(error);
                }
            }
        }
        Ok(found)
    }
}

/// The space and the key that a lock file has in the line of this process, by whatever path; `None` if
/// nobody here uses it.
#[cfg(feature = "inspect")]
pub(crate) fn line_at(path: &Path) -> Option<(&'static str, Key)> {
    let file = table::open_to_read(path).ok()??;
    let line = &table::identified(Os::identity(&file).ok()?)?.line;
    Some((line.locks.name(), line.name.clone()))
}

/// How many wait for a file, and the ids of their processes as far as they are known.
fn waiters(
    file: &File,
    own: Option<&Arc<LockFile>>,
    waits: &<Os as KernelLocks>::Waits,
) -> (usize, Vec<u32>) {
    let (mut count, mut pids) = (Count::default(), OrderedSet::new());
    let mut add = |pid, of_process: Count| {
        count.waiters += of_process.waiters;
        count.in_kernel += of_process.in_kernel;
        if of_process.waiters > 0 {
            pids.add(u64::from(pid));
        }
    };
    if let Some(own) = own {
        add(process::id(), own.count());
    }
    // What can't be read is as good as not written.
    if let Ok(lines) = descriptor::lines(file) {
        for line in lines.of_others() {
            add(line.by.pid, line.count);
        }
    }
    // The others are processes that tell nothing, of which there is one wait to see.
    let untold = Os::waits_for(file, waits).saturating_sub(count.in_kernel);
    let pids = pids.keys().filter_map(|pid| u32::try_from(*pid).ok());
    (count.waiters + untold, pids.collect())
}

impl Named {
    pub(super) fn path(&self) -> PathBuf {
        self.space.directory.path.join(self.name.as_str())
    }

    pub(super) fn is_locked(&self) -> Result<bool, Error> {
        if table::is_held(self.space.directory, &self.name) {
            return Ok(true);
        }
        match self.open_to_read()? {
            None => Ok(false),
            Some(file) => match Os::locker(&file) {
                Ok(locker) => Ok(locker.is_some()),
                Err(error) => Err(self.not_seen(error)),
            },
        }
    }

    pub(super) fn holder(&self) -> Result<Option<Holder>, Error> {
        let file = self.open_to_read()?;
        Ok(file.and_then(|file| descriptor::holder(&file, self.space.rule)))
    }

    /// `None` if there is no such file.
    pub(super) fn open_to_read(&self) -> Result<Option<File>, Error> {
        table::open_to_read(&self.path()).map_err(|failure| self.failed(failure))
    }

    pub(super) fn failed(&self, failure: Failure) -> Error {
        let path = Some(self.path());
        Refusal::from(failure).of(self.space.name, self.key.clone(), path)
    }

    /// The file as this process knows it, by whatever name. What the name has led to before is
    /// another one.
    fn own(&self, file: &File) -> Option<Arc<LockFile>> {
        if Os::TELLS_APART {
            table::identified(Os::identity(file).ok()?)
        } else {
            table::known_and_used(self.space.directory, &self.name)
        }
    }

    pub(super) fn not_seen(&self, error: io::Error) -> Error {
        self.failed(Failure::of("look at lock file")(error))
    }
}

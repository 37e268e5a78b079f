//! Lock files.
//!
//! A lock of a [`FileLocks`] is two: the in-process lock of the file, as
//! [`Locks`](crate::Locks) has it, and then the kernel's on the file. The first gives all
//! callers in this process one queue, with its order, its deadlock detection and its cancel
//! safety, whatever they wait with and whatever name they know the file by; the second
//! excludes other processes, and is dealt with by one caller at a time.
//!
//! From top to bottom: [`FileLocks`] here, [`handle`] and [`future`] are what users see, with
//! [`default`] for the process-wide space and [`state`] for who looks; [`acquire`] waits for a
//! [`hold`] of what a [`request`] says, first in the process and then for the [`kernel`], if need be
//! by a [`wait`] on another thread; [`table`] knows the files in use, and their names; [`refresh`]
//! keeps others from removing them for their age; [`descriptor`] is one that is open, with the
//! holder's [`record`] in it, and the [`count`] of those who wait, which a thread is to [`tell`];
//! [`path`] names it, and [`sys`] asks the operating system.

mod acquire;
mod count;
mod default;
mod descriptor;
mod digest;
mod future;
mod handle;
mod hold;
mod kernel;
mod path;
mod record;
mod refresh;
mod request;
mod state;
mod sys;
mod table;
mod tell;
mod turn;
mod wait;

use crate::error::Error;
use crate::key::{Key, LockKey};
use crate::site::Site;
use crate::space::{self, Space};
use crate::table::policy::Terms;
use acquire::Acquire;
use descriptor::Failure;
use path::Rule;
use request::Request;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use sys::{Files as _, KernelLocks as _, Os};

use parking_lot::Mutex;

pub use default::{file_locks, set_file_locks};
pub use future::FileLockFuture;
pub use handle::{FileHandle, FileKeysHandle, ReentrantFileHandle};
pub use state::{FileStates, Swept};

/// A space of lock files: every key in it is a file of one directory, and its lock excludes
/// other processes as well.
///
/// Two `FileLocks` on one directory and prefix are the same space, in one process and
/// between processes. A lock is as cheap as the operating system has it, some microseconds;
/// for what exists once in a process, [`Locks`](crate::Locks) is the right space.
#[doc = include_str!("../../docs/FILES.md")]
#[derive(Clone)]
pub struct FileLocks {
    space: FileSpace,
    /// What the names of its files begin with.
    beginning: String,
}

/// What all locks of a space have in common.
#[derive(Clone, Copy, Debug)]
struct FileSpace {
    directory: &'static Directory,
    /// The directory, and the prefix.
    name: &'static str,
    rule: Rule,
    /// Why no lock of it can be taken, if it can't.
    refused: Option<Refused>,
}

/// What is wrong with a directory, and the remedy.
#[derive(Clone, Copy, Debug)]
struct Refused {
    kind: io::ErrorKind,
    reason: &'static str,
    remedy: &'static str,
}

impl Refused {
    /// A path that could not be made absolute would be another directory whenever the process
    /// goes to another one.
    fn unless_absolute(path: &Path) -> Option<Self> {
        let reason = match path {
            _ if path.is_absolute() => return None,
            _ if path.as_os_str().is_empty() => "its path is empty",
            _ => "there is no current directory, which its path begins in",
        };
        Some(Self {
            kind: io::ErrorKind::InvalidInput,
            reason,
            remedy: "give its absolute path",
        })
    }
}

/// A directory of lock files, as it is spelt; there is one of each path in the process.
struct Directory {
    path: PathBuf,
    /// What the spaces of its files' in-process locks are called.
    name: &'static str,
    /// The same for the turns of those who share them.
    turns: &'static str,
}

impl Directory {
    /// The one of a path. Directories are remembered for ever, as the names of spaces are.
    fn at(path: PathBuf) -> &'static Self {
        static DIRECTORIES: Mutex<BTreeMap<PathBuf, &'static Directory>> =
            Mutex::new(BTreeMap::new());
        // One that can't be made absolute is refused, see `Refused::unless_absolute`.
        let path = std::path::absolute(&path).unwrap_or(path);
        let mut directories = DIRECTORIES.lock();
        directories.entry(path).or_insert_with_key(|path| {
            let name = path.to_string_lossy();
            Box::leak(Box::new(Self {
                path: path.clone(),
                turns: remember(format!("{name} (turns)")),
                name: remember(name.into_owned()),
            }))
        })
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

/// Text that stays, each once.
fn remember(text: String) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock();
    if let Some(known) = texts.get(&text[..]) {
        return known;
    }
    let text = text.leak();
    texts.insert(text);
    text
}

impl FileLocks {
    /// How many files that nobody uses a process keeps open, unless
    /// [`FileLocks::keep_open`] says otherwise.
    pub const KEPT_OPEN: usize = table::KEPT;

    /// Makes a space of lock files in a directory, which is made when it is needed, with its
    /// parents.
    ///
    /// A relative path is taken from the current directory at this call; an empty one is refused.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use lockutils::{FileLocks, synchronized};
    /// use std::sync::LazyLock;
    ///
    /// static DEVICES: LazyLock<FileLocks> =
    ///     LazyLock::new(|| FileLocks::new("/run/service/locks").prefix("dev-"));
    ///
    /// let guard = DEVICES.key("sda").lock()?;
    /// assert!(DEVICES.key("sda").is_locked()?);
    ///
    /// #[synchronized(key = device, locks = *DEVICES)]
    /// fn format(device: &str) -> Result<(), lockutils::Error> {
    ///     Ok(())
    /// }
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self::with_rule(directory.into(), Rule::Own)
    }

    /// Makes the space that Python's oslo.concurrency has for `lock_path` and
    /// `lock_file_prefix`: the same files, excluded from each other.
    ///
    /// Its file names are oslo's, where two keys can be one file. So that Python's waiters,
    /// who try again now and then, get their turn, a wait here is of that kind as well: a
    /// released lock is found free after up to twenty milliseconds. And a process that has a
    /// lock for more than three quarters of the time gives way for the rest. Nothing is written
    /// into the files, and none is ever removed.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::FileLocks;
    ///
    /// # let directory = std::env::temp_dir().join(format!("lockutils-doc-oslo-{}", std::process::id()));
    /// // As `lockutils.lock("a/b", "nova", external=True, lock_path=directory)` in Python.
    /// let locks = FileLocks::oslo(&directory, "nova");
    /// let guard = locks.key("a/b").lock()?;
    /// assert!(directory.join("nova-a_b").exists());
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    pub fn oslo(lock_path: impl Into<PathBuf>, prefix: impl Into<String>) -> Self {
        Self::with_rule(lock_path.into(), Rule::Oslo).prefix(prefix)
    }

    fn with_rule(directory: PathBuf, rule: Rule) -> Self {
        let directory = Directory::at(directory);
        let locks = Self {
            space: FileSpace {
                directory,
                name: directory.name,
                rule,
                refused: Refused::unless_absolute(&directory.path),
            },
            beginning: String::new(),
        };
        locks.prefix("")
    }

    /// A space whose locks can't be taken.
    fn refused(directory: PathBuf, refused: Refused) -> Self {
        let mut locks = Self::new(directory);
        locks.space.refused = Some(refused);
        locks
    }

    /// Has all file names begin with `prefix`, so that several programs, or several spaces of
    /// one, can use one directory.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.beginning = path::beginning(self.space.rule, &prefix.into());
        let name = self.space.directory.path.join(&self.beginning);
        self.space.name = remember(name.to_string_lossy().into_owned());
        self
    }

    /// The directory and the prefix, as errors name the space.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.space.name
    }

    /// Names one lock of the space, for its methods to take.
    ///
    /// `key` is a value or a reference. Nothing is locked yet, and no file made.
    pub fn key<K: LockKey>(&self, key: K) -> FileHandle<'_, K> {
        FileHandle::new(self, key)
    }

    /// Names several locks of the space, to be taken together.
    ///
    /// `keys` is anything that `for` takes. They are taken in one order, that of their files'
    /// names, so two callers can't each hold what the other waits for; one that is there
    /// twice is taken once, also if two keys are one file. An empty list holds nothing and
    /// succeeds.
    pub fn keys<I>(&self, keys: I) -> FileKeysHandle<'_>
    where
        I: IntoIterator,
        I::Item: LockKey,
    {
        FileKeysHandle::new(
            self,
            keys.into_iter().map(Key::new).collect(),
            Terms::EXCLUSIVE,
        )
    }

    /// Has the process keep up to `most` lock files open that nobody uses, of all spaces
    /// together; [`FileLocks::KEPT_OPEN`] without this.
    ///
    /// A kept file is locked again several times faster than one that must be opened. Those
    /// that were used longest ago are closed.
    pub fn keep_open(most: usize) {
        table::set_kept(most);
    }

    /// Has the lock files of this process say that its locks are held for `command`, and not
    /// name the process itself and the place in its code: for programs as `flock(1)`, which hold a
    /// lock while they run another one. Of several calls, the first counts.
    ///
    /// What is longer than 120 bytes is cut off. Locks that are held already stay as they are.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use lockutils::FileLocks;
    /// use std::process::Command;
    ///
    /// FileLocks::stand_for("rsync -a /home /backup");
    /// let guard = FileLocks::new("/run/backup").key("home").lock()?;
    /// Command::new("rsync").args(["-a", "/home", "/backup"]).status()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stand_for(command: &str) {
        record::stand_for(command);
    }

    fn request(
        &self,
        key: &(impl LockKey + ?Sized),
        terms: Terms,
        site: Site,
    ) -> Result<Request, Error> {
        let (space, key) = (self.space, Key::of(key));
        if let Some(refused) = &space.refused {
            return Err(space.refuse(key, *refused));
        }
        match path::file_name(space.rule, &self.beginning, key.as_bytes()) {
            Ok(name) => Ok(Request {
                space,
                key,
                name,
                terms,
                site,
            }),
            Err(reason) => Err(Error::invalid_key(space.name, key, reason)),
        }
    }

    fn acquire(&self, key: &(impl LockKey + ?Sized), terms: Terms, site: Site) -> Acquire {
        match self.request(key, terms, site) {
            Ok(request) => Acquire::one(request),
            Err(error) => Acquire::Failed(Some(error)),
        }
    }
}

impl FileSpace {
    /// The error of a lock file that can't be used.
    fn failed(self, key: Key, path: PathBuf, failure: Failure) -> Error {
        let Failure { tried, source } = failure;
        let remedy = remedy(&source);
        Error::io(self.name, key, path, (tried, source, remedy))
    }

    fn refuse(self, key: Key, refused: Refused) -> Error {
        let Refused {
            kind,
            reason,
            remedy,
        } = refused;
        let (path, source) = (self.directory.path.clone(), io::Error::new(kind, reason));
        Error::io(self.name, key, path, ("use directory", source, remedy))
    }
}

/// What helps.
fn remedy(error: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => {
            "give this user write access to the file and its directory, or use another directory"
        }
        Kind::ReadOnlyFilesystem => "use a directory on a file system that can be written to",
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
            "make some room on its file system, or use a directory on another one"
        }
        Kind::IsADirectory | Kind::AlreadyExists => {
            "something else is in its place; remove that, or use another directory"
        }
        Kind::TooManyLinks => {
            "it could be another program's file; remove this name of it, or use a directory that others can't write to"
        }
        Kind::NotADirectory => {
            "a file is where its directory should be; remove that, or use another directory"
        }
        Kind::NotFound => {
            "its directory can't be made, or is removed again and again; use another one, or see who removes it"
        }
        Kind::Unsupported => {
            "leave it where it is: a file that Python's programs use is never removed"
        }
        _ if Os::is_for_descriptors(error) => {
            "too many files are open; raise the limit (`ulimit -n`), or look for a leak"
        }
        _ if Os::is_for_length(error) => "its path is too long; use a directory with a shorter one",
        _ if Os::is_symbolic_link(error) => {
            "it is a symbolic link, which could lead anywhere; remove it, or use another directory"
        }
        _ if Os::is_for_locks(error) => {
            "its file system has no record locks, or none left; use a directory on a local one"
        }
        _ => "see what the system says, or use another directory",
    }
}

impl fmt::Debug for FileLocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLocks")
            .field("directory", &self.space.directory.path)
            .field("beginning", &self.beginning)
            .field("rule", &self.space.rule)
            .finish()
    }
}

impl Space for FileLocks {
    type Wait = FileLockFuture;

    fn wait(&self, key: &dyn LockKey, terms: space::Terms, site: Site) -> FileLockFuture {
        FileLockFuture::new(self.acquire(key, terms.into(), site), None)
    }

    fn wait_all(&self, keys: Vec<Key>, terms: space::Terms, site: Site) -> FileLockFuture {
        let acquire = FileKeysHandle::new(self, keys, terms.into()).acquire(site);
        FileLockFuture::new(acquire, None)
    }
}

//! The space of lock files, and the names of what takes them.
//!
//! All of it is the [`engine`](super::engine)'s, as [`Queued`] makes a space of it; here it has its
//! constructors, and a directory's rule for names.

use super::directory::{Directory, FileSpace, Refused};
use super::engine::Files;
use super::path::Rule;
use super::{at_once, record, table};
use crate::acquire::Acquire;
use crate::begun::Begun;
use crate::error::Error;
use crate::future::LockFuture;
use crate::guard::Guard;
use crate::handle::{Handle, KeysHandle, ReentrantHandle};
use crate::key::{Key, LockKey};
use crate::outside::{Outside, Queued};
use crate::site::Site;
use crate::space::Space;
use crate::table::policy::{Mode, Reentry, Terms};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A space of lock files: every key in it is a file of one directory, and its lock excludes
/// other processes as well.
///
/// Two `FileLocks` on one directory and prefix are the same space, in one process and
/// between processes. A lock is as cheap as the operating system has it, some microseconds;
/// for what exists once in a process, [`Locks`](crate::Locks) is the right space.
#[doc = include_str!("../../docs/FILES.md")]
#[derive(Clone)]
pub struct FileLocks(pub(super) Queued<Files>);

/// One lock of a space of lock files: a key, not yet held.
///
/// Made by [`FileLocks::key`]. All methods can fail with
/// [`ErrorKind::Io`](crate::ErrorKind::Io), which says what is wrong with the file and what
/// helps, and with [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) for a key that has
/// no file.
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// # let directory = std::env::temp_dir().join(format!("lockutils-doc-handle-{}", std::process::id()));
/// let locks = FileLocks::new(&directory);
/// let handle = locks.key("schema");
/// let guard = handle.lock()?;
/// assert!(handle.is_locked()?);
/// assert_eq!(handle.holder()?.and_then(|holder| holder.pid()), Some(std::process::id()));
/// # drop(guard);
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), lockutils::Error>(())
/// ```
pub type FileHandle<'a, K> = Handle<'a, K, FileLocks>;

/// One lock of a space of lock files, for a thread that may hold it already.
///
/// Made by [`Handle::reentrant`].
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// # let directory = std::env::temp_dir().join(format!("lockutils-doc-reentrant-{}", std::process::id()));
/// let locks = FileLocks::new(&directory);
/// let outer = locks.key("schema").reentrant().lock()?;
/// let inner = locks.key("schema").reentrant().lock()?;
/// # drop((outer, inner));
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), lockutils::Error>(())
/// ```
pub type ReentrantFileHandle<'a, K> = ReentrantHandle<'a, K, FileLocks>;

/// Several locks of a space of lock files, to be taken together.
///
/// Made by [`FileLocks::keys`]. The errors are those of [`FileHandle`].
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// # let directory = std::env::temp_dir().join(format!("lockutils-doc-keys-{}", std::process::id()));
/// let locks = FileLocks::new(&directory);
/// let guard = locks.keys(["vm-7", "image-3"]).lock()?;
/// assert!(locks.key("image-3").is_locked()?);
/// # drop(guard);
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), lockutils::Error>(())
/// ```
pub type FileKeysHandle<'a> = KeysHandle<'a, FileLocks>;

/// The wait of a task for a lock file, or for several; gives a
/// `Result<`[`AsyncGuard`](crate::AsyncGuard)`, `[`Error`](crate::Error)`>`.
///
/// # Examples
///
/// ```
/// use lockutils::{Error, FileLocks};
///
/// async fn migrate(locks: &FileLocks) -> Result<(), Error> {
///     let _guard = locks.key("schema").lock_async().await?;
///     // No other task, thread or process is in here.
///     Ok(())
/// }
/// ```
pub type FileLockFuture = LockFuture<Outside<Files>>;

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
        let space = FileSpace {
            directory,
            name: directory.name,
            rule,
            refused: Refused::unless_absolute(&directory.path),
        };
        Self::of(Files::new(space, ""))
    }

    fn of(files: Files) -> Self {
        Self(Queued::new(files))
    }

    /// A space whose locks can't be taken.
    pub(crate) fn refused(directory: PathBuf, refused: Refused) -> Self {
        let mut space = Self::new(directory).files().space;
        space.refused = Some(refused);
        Self::of(Files::new(space, ""))
    }

    /// Makes all file names begin with `prefix`, so that several programs, or several spaces of
    /// one, can use one directory.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self::of(Files::new(self.files().space, &prefix.into()))
    }

    /// The directory and the prefix, as errors name the space.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.files().space.name
    }

    /// Names one lock of the space, for its methods to take.
    ///
    /// `key` is a value or a reference. Nothing is locked yet, and no file made.
    pub fn key<K: LockKey>(&self, key: K) -> FileHandle<'_, K> {
        Handle::new(self, key)
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
        KeysHandle::new(self, keys)
    }

    /// Keeps up to `most` lock files open that nobody uses, of all spaces
    /// together; [`FileLocks::KEPT_OPEN`] without this.
    ///
    /// A kept file is locked again several times faster than one that must be opened. Those
    /// that were used longest ago are closed.
    pub fn keep_open(most: usize) {
        table::set_kept(most);
    }

    /// Makes the lock files of this process say that its locks are held for `command`, and not
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

    pub(super) fn files(&self) -> &Files {
        self.0.engine()
    }
}

impl fmt::Debug for FileLocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Files {
            space, beginning, ..
        } = self.files();
        f.debug_struct("FileLocks")
            .field("directory", &space.directory.path)
            .field("beginning", beginning)
            .field("rule", &space.rule)
            .finish()
    }
}

impl Space for FileLocks {
    type Machine = Outside<Files>;

    fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<Outside<Files>> {
        self.0.wait(key, mode, site)
    }

    fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<Outside<Files>> {
        self.0.wait_all(keys, mode, site)
    }

    fn begin(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Begun<Guard, Outside<Files>> {
        let key = &Key::of(key); // Written once, whatever comes of it.
        match at_once::begin(&self.0, key, mode.once(), site, false) {
            Begun::Held(guard) => Begun::Held(guard),
            // Nobody knows which thread goes on with it, and when. So it keeps nothing.
            Begun::Wait(_) => self.0.begin(key, mode, site),
        }
    }

    #[track_caller]
    fn block(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
    ) -> Result<Guard, Error> {
        match at_once::begin(&self.0, key, Terms { mode, reentry }, site, true) {
            Begun::Held(guard) => Ok(guard),
            // It has spun already.
            Begun::Wait(acquire) => acquire.block_in_queue(),
        }
    }

    fn block_for(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
        timeout: Duration,
    ) -> Result<Guard, Error> {
        let begun = at_once::begin(&self.0, key, Terms { mode, reentry }, site, false);
        begun.block_for(timeout)
    }

    fn try_now(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
    ) -> Result<Guard, Error> {
        at_once::begin(&self.0, key, Terms { mode, reentry }, site, false).try_now()
    }
}

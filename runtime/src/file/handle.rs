//! The handles of one lock file and of several, and what can be done with them.

use super::FileLocks;
use super::acquire::Acquire;
use super::future::FileLockFuture;
use super::request::Request;
use crate::error::Error;
use crate::guard::Guard;
use crate::holder::Holder;
use crate::key::{Key, LockKey};
use crate::owner::Owner;
use crate::site::Site;
use crate::table::policy::{Mode, Terms};
use std::time::Duration;

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
#[derive(Clone, Debug)]
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct FileHandle<'a, K> {
    locks: &'a FileLocks,
    key: K,
    terms: Terms,
}

impl<'a, K: LockKey> FileHandle<'a, K> {
    pub(super) const fn new(locks: &'a FileLocks, key: K) -> Self {
        Self {
            locks,
            key,
            terms: Terms::EXCLUSIVE,
        }
    }

    fn acquire(&self, site: Site) -> Acquire {
        self.locks.acquire(&self.key, self.terms, site)
    }

    /// Asks for a shared hold: together with other shared holders, and not with an
    /// exclusive one.
    ///
    /// In this process those who come while an exclusive holder waits wait behind it. The
    /// kernel has no such order: shared holds in other processes that never end, one
    /// beginning before the other is over, keep an exclusive waiter out.
    pub fn shared(mut self) -> Self {
        self.terms.mode = Mode::Shared;
        self
    }

    /// Lets a thread that holds the key go straight in, as
    /// [`Handle::reentrant`](crate::Handle::reentrant) does.
    pub fn reentrant(mut self) -> ReentrantFileHandle<'a, K> {
        self.terms.reentrant = true;
        ReentrantFileHandle(self)
    }

    /// Acquires the lock, and blocks the thread until it has it.
    ///
    /// In async code use [`FileHandle::lock_async`], which lets other tasks run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock) if waiting would never end, since
    /// the thread holds the key itself, or those in this process who do wait for this thread;
    /// and those of [`FileHandle`]. Cycles through other processes are not seen.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn migrate() -> Result<(), lockutils::Error> {
    /// let locks = lockutils::FileLocks::new("/var/lib/service/locks");
    /// let _guard = locks.key("schema").lock()?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn lock(&self) -> Result<Guard, Error> {
        self.acquire(Site::here()).block().map(Guard::new)
    }

    /// Acquires the lock, and lets other tasks run until it has it.
    ///
    /// Works under any executor, and blocks none of its threads for longer than the calls
    /// to the file system take.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue; a lock that was just being handed over to it, or
    /// granted by the kernel, goes to the next waiter.
    #[track_caller]
    pub fn lock_async(&self) -> FileLockFuture {
        FileLockFuture::new(self.acquire(Site::here()), None)
    }

    /// Acquires the lock if nobody holds it.
    ///
    /// In async code use `try_lock()?.into_async()`, whose guard can be held over an
    /// `.await`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy), also when it is the caller who holds it;
    /// and those of [`FileHandle`].
    #[track_caller]
    pub fn try_lock(&self) -> Result<Guard, Error> {
        let request = self.locks.request(&self.key, self.terms, Site::here())?;
        request.try_lock()
    }

    /// Acquires the lock, and blocks the thread until it has it or the time is over.
    ///
    /// A timeout of zero is one try; one of over 34,000 years is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with who was in the way;
    /// [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock) at once, if waiting could not end
    /// otherwise; and those of [`FileHandle`].
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Guard, Error> {
        let held = self.acquire(Site::here()).block_for(timeout);
        held.map(Guard::new)
    }

    /// Acquires the lock, and lets other tasks run until it has it or the time is over.
    ///
    /// Works under any executor. The time starts when the lock is first found busy. A
    /// timeout of zero is one try; one of over 34,000 years is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with who was in the way; and those
    /// of [`FileHandle`].
    ///
    /// # Cancel safety
    ///
    /// As that of [`FileHandle::lock_async`].
    #[track_caller]
    pub fn lock_timeout_async(&self, timeout: Duration) -> FileLockFuture {
        FileLockFuture::new(self.acquire(Site::here()), Some(timeout))
    }

    /// Tells whether somebody holds the lock, in whatever process.
    ///
    /// For tests and assertions: by the time it returns, the answer may be old. No file is
    /// made for it.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle`].
    #[track_caller]
    pub fn is_locked(&self) -> Result<bool, Error> {
        let request = self.locks.request(&self.key, self.terms, Site::here())?;
        request.is_locked()
    }

    /// Tells who holds the lock, in whatever process, without being in anybody's way.
    ///
    /// Of shared holders it is one. `None` if nobody holds it, or if it isn't known who does:
    /// where somebody doesn't write it down, as Python's programs don't, some systems can't tell.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle`].
    #[track_caller]
    pub fn holder(&self) -> Result<Option<Holder>, Error> {
        let request = self.locks.request(&self.key, self.terms, Site::here())?;
        request.holder()
    }

    /// Panics unless somebody holds the lock; behind [`assert_locked!`](crate::assert_locked).
    #[doc(hidden)]
    #[track_caller]
    pub fn assert_locked(&self) {
        let request = self.locks.request(&self.key, self.terms, Site::here());
        match request.and_then(|request| Ok((request.is_locked()?, request.path()))) {
            Ok((true, _)) => {}
            Ok((false, path)) => {
                let lock = path.to_string_lossy();
                panic!("lock {lock:?} is not held; its holder must call this")
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// One lock of a space of lock files, for a thread that may hold it already.
///
/// Made by [`FileHandle::reentrant`].
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
#[derive(Clone, Debug)]
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct ReentrantFileHandle<'a, K>(FileHandle<'a, K>);

impl<K: LockKey> ReentrantFileHandle<'_, K> {
    /// As [`FileHandle::lock`], but goes straight in if the thread holds the key.
    ///
    /// # Errors
    ///
    /// As [`FileHandle::lock`]; [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock) also if
    /// the thread holds the key shared, and asks for it exclusively.
    #[track_caller]
    pub fn lock(&self) -> Result<Guard, Error> {
        self.0.lock()
    }

    /// As [`FileHandle::try_lock`], but goes straight in if the thread holds the key.
    ///
    /// # Errors
    ///
    /// As [`FileHandle::try_lock`]; [`ErrorKind::Busy`](crate::ErrorKind::Busy) only if
    /// somebody else holds the lock.
    #[track_caller]
    pub fn try_lock(&self) -> Result<Guard, Error> {
        self.0.try_lock()
    }

    /// As [`FileHandle::lock_timeout`], but goes straight in if the thread holds the key.
    ///
    /// # Errors
    ///
    /// As [`FileHandle::lock_timeout`].
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Guard, Error> {
        self.0.lock_timeout(timeout)
    }
}

/// Several locks of a space of lock files, to be taken together.
///
/// Made by [`FileLocks::keys`]. All of them are held, or none; while one is waited for, those
/// before it in the order are held. One guard holds them, and releases in reverse. The errors
/// are those of [`FileHandle`], with the key that was in the way; none is held then.
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
#[derive(Clone, Debug)]
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct FileKeysHandle<'a> {
    locks: &'a FileLocks,
    keys: Vec<Key>,
    terms: Terms,
}

impl<'a> FileKeysHandle<'a> {
    pub(super) const fn new(locks: &'a FileLocks, keys: Vec<Key>, terms: Terms) -> Self {
        Self { locks, keys, terms }
    }

    /// In the order of their files' names, each once: by oslo's rule two keys can be one file.
    fn requests(&self, site: Site) -> Result<Vec<Request>, Error> {
        let request = |key| self.locks.request(key, self.terms, site);
        let mut requests = self
            .keys
            .iter()
            .map(request)
            .collect::<Result<Vec<_>, _>>()?;
        // Where upper and lower case are one, each caller's first is so the first of all.
        requests.sort_by_cached_key(|request| {
            let name = request.name.clone();
            (name.as_str().to_lowercase(), name)
        });
        requests.dedup_by(|a, b| a.name == b.name);
        Ok(requests)
    }

    pub(super) fn acquire(&self, site: Site) -> Acquire {
        match self.requests(site) {
            Ok(requests) => Acquire::all(requests),
            Err(error) => Acquire::Failed(Some(error)),
        }
    }

    /// Asks for shared holds, as [`FileHandle::shared`].
    pub fn shared(mut self) -> Self {
        self.terms.mode = Mode::Shared;
        self
    }

    /// Acquires the locks, and blocks the thread until it has them all.
    ///
    /// # Errors
    ///
    /// As [`FileHandle::lock`].
    #[track_caller]
    pub fn lock(&self) -> Result<Guard, Error> {
        self.acquire(Site::here()).block().map(Guard::new)
    }

    /// Acquires the locks, and lets other tasks run until it has them all.
    ///
    /// # Errors
    ///
    /// As [`FileHandle::lock_async`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue and releases the locks that it has.
    #[track_caller]
    pub fn lock_async(&self) -> FileLockFuture {
        FileLockFuture::new(self.acquire(Site::here()), None)
    }

    /// Acquires the locks if nobody holds one of them.
    ///
    /// # Errors
    ///
    /// As [`FileHandle::try_lock`].
    #[track_caller]
    pub fn try_lock(&self) -> Result<Guard, Error> {
        let acquire = self.acquire(Site::here());
        acquire.try_now(Owner::thread()).map(Guard::new)
    }

    /// Acquires the locks, and blocks the thread until it has them all or the time, which
    /// is one for all of them, is over.
    ///
    /// # Errors
    ///
    /// As [`FileHandle::lock_timeout`].
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Guard, Error> {
        let held = self.acquire(Site::here()).block_for(timeout);
        held.map(Guard::new)
    }

    /// Acquires the locks, and lets other tasks run until it has them all or the time, which
    /// is one for all of them, is over.
    ///
    /// # Errors
    ///
    /// As [`FileHandle::lock_timeout_async`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue and releases the locks that it has.
    #[track_caller]
    pub fn lock_timeout_async(&self, timeout: Duration) -> FileLockFuture {
        FileLockFuture::new(self.acquire(Site::here()), Some(timeout))
    }
}

//! The handles of one lock and of several, and what can be done with them.

use super::Locks;
use super::acquire::{Acquire, LockFuture, LockTimeoutFuture};
use super::request::Request;
use crate::error::Error;
use crate::guard::Guard;
use crate::held::Held;
use crate::key::{Key, LockKey, text_of};
use crate::name::LockName;
use crate::owner::Owner;
use crate::site::Site;
use crate::table::policy::{Mode, Terms};
use std::time::Duration;

/// One lock of a space: a key, not yet held.
///
/// Made by [`Locks::key`].
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
/// use std::time::Duration;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// let cell = CELLS.key("2f1c");
/// let guard = cell.lock();
/// assert!(cell.is_locked());
/// assert!(cell.try_lock().is_err());
/// drop(guard);
/// let guard = cell.lock_timeout(Duration::from_secs(5))?;
/// # drop(guard);
/// # Ok::<(), lockutils::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct Handle<'a, K> {
    locks: &'a Locks,
    key: K,
    terms: Terms,
}

impl<'a, K: LockKey> Handle<'a, K> {
    #[inline]
    pub(super) const fn new(locks: &'a Locks, key: K) -> Self {
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
    /// Those who come while an exclusive holder waits wait behind it. In a space with
    /// several permits a shared hold takes one of them.
    ///
    /// # Examples
    ///
    /// ```
    /// let one = lockutils::global().key("shared").shared().lock();
    /// let two = lockutils::global().key("shared").shared().lock();
    /// assert!(lockutils::try_lock("shared").is_err());
    /// ```
    pub fn shared(mut self) -> Self {
        self.terms.mode = Mode::Shared;
        self
    }

    /// Lets a thread that holds the key go straight in.
    ///
    /// For threads only: in async code two branches of one `join!` can't be told from a
    /// nested call. The lock is free again when the last of the thread's guards is
    /// dropped. A thread that holds it shared can't go in exclusively.
    ///
    /// # Examples
    ///
    /// ```
    /// let key = lockutils::global().key("reentrant").reentrant();
    /// let outer = key.lock();
    /// let inner = key.lock();
    /// drop(outer);
    /// assert!(lockutils::is_locked("reentrant"));
    /// drop(inner);
    /// assert!(!lockutils::is_locked("reentrant"));
    /// ```
    pub fn reentrant(mut self) -> ReentrantHandle<'a, K> {
        self.terms.reentrant = true;
        ReentrantHandle(self)
    }

    /// Acquires the lock, and blocks the thread until it has it.
    ///
    /// In async code use [`Handle::lock_async`], which lets other tasks run.
    ///
    /// # Panics
    ///
    /// If waiting would never end, since the thread holds the key itself, or those who do
    /// wait for this thread and can't fail either; see [`Locks`].
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> Guard {
        // Not in a closure, where a deadlock's panic would not know its caller.
        let mut copy = Key::empty();
        let text = text_of(&self.key, &mut copy);
        self.locks.lock(text, self.terms, Site::here())
    }

    /// Acquires the lock, and lets other tasks run until it has it.
    ///
    /// Works under any executor.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue; a lock that was just being handed
    /// over to it goes to the next waiter.
    #[inline]
    #[track_caller]
    pub fn lock_async(&self) -> LockFuture {
        LockFuture(self.acquire(Site::here()))
    }

    /// Acquires the lock if nobody holds it.
    ///
    /// In async code use `try_lock()?.into_async()`, whose guard can be held over an
    /// `.await`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy), also when it is the caller who
    /// holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Result<Guard, Error> {
        let mut copy = Key::empty();
        let text = text_of(&self.key, &mut copy);
        let hold = self.locks.try_now(text, self.terms, Site::here())?;
        Ok(Guard::new(Held::one(hold)))
    }

    /// Acquires the lock, and blocks the thread until it has it or the time is over.
    ///
    /// A timeout of zero is one try; one of over 34,000 years is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with who was in the way;
    /// [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock) at once, if waiting could not end
    /// otherwise, or another thread's could not.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Guard, Error> {
        let mut copy = Key::empty();
        let text = text_of(&self.key, &mut copy);
        self.locks.lock_for(text, self.terms, Site::here(), timeout)
    }

    /// Acquires the lock, and lets other tasks run until it has it or the time is over.
    ///
    /// Works under any executor. The time starts when the lock is first found busy. A
    /// timeout of zero is one try; one of over 34,000 years is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with who was in the way.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue; a lock that was just being handed
    /// over to it goes to the next waiter.
    #[track_caller]
    pub fn lock_timeout_async(&self, timeout: Duration) -> LockTimeoutFuture {
        LockTimeoutFuture::new(self.acquire(Site::here()), timeout)
    }

    /// Tells whether somebody holds the lock.
    ///
    /// For tests and assertions: by the time it returns, the answer may be old.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locks.is_held(text_of(&self.key, &mut Key::empty()))
    }

    /// Panics unless somebody holds the lock; behind [`assert_locked!`](crate::assert_locked).
    #[doc(hidden)]
    #[track_caller]
    pub fn assert_locked(&self) {
        let (space, key) = (self.locks.name, &Key::of(&self.key));
        assert!(
            self.locks.is_held(key.as_bytes()),
            "lock {} is not held; its holder must call this",
            LockName { space, key }
        );
    }
}

/// One lock of a space, for a thread that may hold it already.
///
/// Made by [`Handle::reentrant`].
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// fn refresh() {
///     let _guard = CELLS.key("2f1c").reentrant().lock();
/// }
///
/// let _guard = CELLS.key("2f1c").reentrant().lock();
/// refresh(); // goes straight in
/// ```
#[derive(Clone, Debug)]
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct ReentrantHandle<'a, K>(Handle<'a, K>);

impl<K: LockKey> ReentrantHandle<'_, K> {
    /// As [`Handle::lock`], but goes straight in if the thread holds the key.
    ///
    /// # Panics
    ///
    /// As [`Handle::lock`]; also if the thread holds the key shared, and asks for it
    /// exclusively.
    #[track_caller]
    pub fn lock(&self) -> Guard {
        self.0.lock()
    }

    /// As [`Handle::try_lock`], but goes straight in if the thread holds the key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if somebody else holds the lock.
    #[track_caller]
    pub fn try_lock(&self) -> Result<Guard, Error> {
        self.0.try_lock()
    }

    /// As [`Handle::lock_timeout`], but goes straight in if the thread holds the key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with who was in the way;
    /// [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock) at once, if waiting could not end
    /// otherwise, or another thread's could not.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Guard, Error> {
        self.0.lock_timeout(timeout)
    }
}

/// Several locks of a space, to be taken together.
///
/// Made by [`Locks::keys`]. All of them are held, or none; while one is waited for, those
/// before it in the order are held. One guard holds them, and releases in reverse.
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
///
/// static ACCOUNTS: Locks = Locks::new("accounts");
///
/// let guard = ACCOUNTS.keys(["alice", "bob"]).lock();
/// assert!(ACCOUNTS.key("alice").is_locked());
/// assert!(ACCOUNTS.keys(["bob", "carol"]).try_lock().is_err());
/// assert!(!ACCOUNTS.key("carol").is_locked());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct KeysHandle<'a> {
    locks: &'a Locks,
    /// In canonical order, each once.
    keys: Vec<Key>,
    terms: Terms,
}

impl<'a> KeysHandle<'a> {
    pub(super) fn new(locks: &'a Locks, mut keys: Vec<Key>, terms: Terms) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self { locks, keys, terms }
    }

    pub(super) fn acquire(&self, site: Site) -> Acquire {
        let (space, terms) = (self.locks.id(), self.terms);
        let request = |key: &Key| Request::of_key(space, key.clone(), terms, site);
        Acquire::all(self.keys.iter().map(request).collect())
    }

    /// Asks for shared holds, as [`Handle::shared`].
    pub fn shared(mut self) -> Self {
        self.terms.mode = Mode::Shared;
        self
    }

    /// Acquires the locks, and blocks the thread until it has them all.
    ///
    /// # Panics
    ///
    /// If waiting would never end, as [`Handle::lock`].
    #[track_caller]
    pub fn lock(&self) -> Guard {
        Guard::new(self.acquire(Site::here()).block())
    }

    /// Acquires the locks, and lets other tasks run until it has them all.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue and releases the locks that it has.
    #[track_caller]
    pub fn lock_async(&self) -> LockFuture {
        LockFuture(self.acquire(Site::here()))
    }

    /// Acquires the locks if nobody holds one of them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy), with the first key that is.
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
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with the key that was waited for, or
    /// [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock), as [`Handle::lock_timeout`]; none is
    /// held then.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Guard, Error> {
        self.acquire(Site::here())
            .block_for(timeout)
            .map(Guard::new)
    }

    /// Acquires the locks, and lets other tasks run until it has them all or the time, which
    /// is one for all of them, is over.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with the key that was waited for;
    /// none is held then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue and releases the locks that it has.
    #[track_caller]
    pub fn lock_timeout_async(&self, timeout: Duration) -> LockTimeoutFuture {
        LockTimeoutFuture::new(self.acquire(Site::here()), timeout)
    }
}

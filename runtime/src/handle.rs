//! The handles of one lock and of several, for all engines, and what can be done with them.

use crate::acquire::Acquire;
use crate::begun::Begun;
use crate::drive::{Failure as _, GuardOf, Machine, Outcome, Sharable};
use crate::error::Error;
use crate::future::{LockFuture, LockTimeoutFuture, TryLockFuture};
use crate::key::{Key, LockKey, text_of};
use crate::keys::Keys;
use crate::local::Locks;
use crate::name::LockName;
use crate::site::Site;
use crate::space::Space;
use crate::table::policy::{Mode, Reentry};
use std::fmt;
use std::time::Duration;

/// One lock of a space: a key, not yet held.
///
/// Made by [`Locks::key`], and as a [`FileHandle`](crate::FileHandle) by
/// [`FileLocks::key`](crate::FileLocks::key). What waiting gives depends on the space `S`:
///
/// | of | `lock()` | `lock_async().await` |
/// |---|---|---|
/// | [`Locks`], which can't fail | [`Guard`](crate::Guard) | [`AsyncGuard`](crate::AsyncGuard) |
/// | [`FileLocks`](crate::FileLocks), or another engine that can | `Result<Guard, Error>` | `Result<AsyncGuard, Error>` |
/// | an engine whose locks can be lost, as those of a server | `Result<`[`LeaseGuard`](crate::LeaseGuard)`, Error>` | `Result<`[`AsyncLeaseGuard`](crate::AsyncLeaseGuard)`, Error>` |
///
/// A try, and a wait for a certain time, give a `Result` everywhere.
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
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct Handle<'a, K, S: ?Sized = Locks> {
    pub(crate) space: &'a S,
    pub(crate) key: K,
    mode: Mode,
}

impl<'a, K: LockKey, S: Space + ?Sized> Handle<'a, K, S> {
    /// Names one lock of a space, for the `key` method of a space of one's own.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::engine::Space;
    /// use lockutils::{Handle, LockKey, Locks};
    ///
    /// struct Tenant<S> { name: String, locks: S }
    ///
    /// impl<S: Space> Tenant<S> {
    ///     fn key<K: LockKey>(&self, key: K) -> Handle<'_, (&str, K), S> {
    ///         Handle::new(&self.locks, (self.name.as_str(), key))
    ///     }
    /// }
    ///
    /// let tenant = Tenant { name: "acme".to_owned(), locks: Locks::new("tenants") };
    /// let _guard = tenant.key("invoices").lock();
    /// assert!(tenant.locks.key("acme/invoices").is_locked());
    /// ```
    #[inline]
    pub const fn new(space: &'a S, key: K) -> Self {
        Self {
            space,
            key,
            mode: Mode::Exclusive,
        }
    }

    #[inline]
    fn acquire(&self, site: Site) -> Acquire<S::Machine> {
        self.space.wait(&self.key, self.mode, site)
    }

    /// Asks for a shared hold: together with other shared holders, and not with an
    /// exclusive one.
    ///
    /// In this process those who come while an exclusive holder waits wait behind it. Of lock
    /// files the kernel has no such order: shared holds in other processes that never end, one
    /// beginning before the other is over, keep an exclusive waiter out. In a space with
    /// several permits a shared hold takes one of them.
    ///
    /// Only where the space's engine has shared locks, which the compiler sees to.
    ///
    /// # Examples
    ///
    /// ```
    /// let one = lockutils::global().key("shared").shared().lock();
    /// let two = lockutils::global().key("shared").shared().lock();
    /// assert!(lockutils::try_lock("shared").is_err());
    /// ```
    pub fn shared(mut self) -> Self
    where
        S::Machine: Sharable,
    {
        self.mode = Mode::Shared;
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
    pub fn reentrant(self) -> ReentrantHandle<'a, K, S> {
        ReentrantHandle(self)
    }

    /// Acquires the lock, and blocks the thread until it has it.
    ///
    /// In async code use [`Handle::lock_async`], which lets other tasks run.
    ///
    /// # Errors
    ///
    /// None of [`Locks`]. Of lock files [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock) if
    /// waiting would never end, since the thread holds the key itself, or those in this process
    /// who do wait for this thread; and those of [`FileHandle`](crate::FileHandle). Cycles
    /// through other processes are not seen.
    ///
    /// # Panics
    ///
    /// Of [`Locks`], if waiting would never end, since the thread holds the key itself, or those
    /// who do wait for this thread and can't fail either.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> Outcome<S::Machine, GuardOf<S::Machine>> {
        self.block(Reentry::Refused, Site::here())
    }

    #[inline]
    #[track_caller]
    fn block(&self, reentry: Reentry, site: Site) -> Outcome<S::Machine, GuardOf<S::Machine>> {
        let result = self.space.block(&self.key, self.mode, reentry, site);
        <S::Machine as Machine>::Failure::outcome(result)
    }

    /// Acquires the lock, and lets other tasks run until it has it.
    ///
    /// Works under any executor, and blocks none of its threads; of lock files, for no longer
    /// than the calls to the file system take.
    ///
    /// # Errors
    ///
    /// None of [`Locks`]; of lock files those of [`FileHandle`](crate::FileHandle).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue; a lock that was just being handed over to it, or
    /// granted by the kernel, goes to the next waiter.
    #[inline]
    #[track_caller]
    pub fn lock_async(&self) -> LockFuture<S::Machine> {
        LockFuture::new(self.acquire(Site::here()))
    }

    /// Acquires the lock if nobody holds it.
    ///
    /// In async code use [`Handle::try_lock_async`], whose guard can be held over an `.await`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy), also when it is the caller who
    /// holds it; of lock files also those of [`FileHandle`](crate::FileHandle).
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Result<GuardOf<S::Machine>, Error> {
        let site = Site::here();
        let space = self.space;
        space.try_now(&self.key, self.mode, Reentry::Refused, site)
    }

    /// Acquires the lock for a task if nobody holds it.
    ///
    /// It waits for nobody who has the lock: the future is ready at the first poll.
    ///
    /// # Errors
    ///
    /// As [`Handle::try_lock`].
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::{Error, Locks};
    ///
    /// static SWEEPS: Locks = Locks::new("sweeps");
    ///
    /// async fn sweep(host: &str) -> Result<(), Error> {
    ///     let _guard = SWEEPS.key(host).try_lock_async().await?;
    ///     // No other task or thread sweeps this host, and this one has waited for none.
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn try_lock_async(&self) -> TryLockFuture<S::Machine> {
        self.acquire(Site::here()).try_async()
    }

    /// Acquires the lock, and blocks the thread until it has it or the time is over.
    ///
    /// A timeout of zero is one try; one of over 34,000 years is none. A server is asked within the
    /// time, but for that try, whose answer is waited for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with who was in the way or why its server gave no answer;
    /// [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock) at once, if waiting could not end
    /// otherwise, or another thread's could not; of lock files also those of
    /// [`FileHandle`](crate::FileHandle).
    #[inline]
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<GuardOf<S::Machine>, Error> {
        let site = Site::here();
        let space = self.space;
        space.block_for(&self.key, self.mode, Reentry::Refused, site, timeout)
    }

    /// Acquires the lock, and lets other tasks run until it has it or the time is over.
    ///
    /// Works under any executor. The time starts when the lock is first found busy. A
    /// timeout of zero is one try; one of over 34,000 years is none. A server is asked within the
    /// time, but for that try, whose answer is waited for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with who was in the way or why its server gave no answer; of lock files
    /// also those of [`FileHandle`](crate::FileHandle).
    ///
    /// # Cancel safety
    ///
    /// As that of [`Handle::lock_async`].
    #[track_caller]
    pub fn lock_timeout_async(&self, timeout: Duration) -> LockTimeoutFuture<S::Machine> {
        self.acquire(Site::here()).timed(timeout)
    }
}

impl Locks {
    /// Names one lock of the space, for its methods to take.
    ///
    /// `key` is a value or a reference. Nothing is locked yet.
    #[inline]
    pub fn key<K: LockKey>(&self, key: K) -> Handle<'_, K> {
        Handle::new(self, key)
    }

    /// Names several locks of the space, to be taken together.
    ///
    /// `keys` is anything that `for` takes. They are taken in one canonical order, that
    /// of their text, so two callers can't each hold what the other waits for; one that
    /// is there twice is taken once. An empty list holds nothing and succeeds.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::Locks;
    ///
    /// static ACCOUNTS: Locks = Locks::new("accounts");
    ///
    /// let guard = ACCOUNTS.keys(&[7, 3, 7]).lock();
    /// assert!(ACCOUNTS.key(3).is_locked() && ACCOUNTS.key(7).is_locked());
    /// ```
    #[inline]
    pub fn keys<I>(&self, keys: I) -> KeysHandle<'_>
    where
        I: IntoIterator,
        I::Item: LockKey,
    {
        KeysHandle::new(self, keys)
    }
}

impl<K: LockKey> Handle<'_, K> {
    /// Tells whether somebody holds the lock.
    ///
    /// For tests and assertions: by the time it returns, the answer may be old.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.space.is_held(text_of(&self.key, &mut Key::empty()))
    }

    /// Panics unless somebody holds the lock; behind [`assert_locked!`](crate::assert_locked).
    #[doc(hidden)]
    #[track_caller]
    pub fn assert_locked(&self) {
        let (space, key) = (self.space.name(), &Key::of(&self.key));
        assert!(
            self.space.is_held(key.as_bytes()),
            "lock {} is not held; its holder must call this",
            LockName { space, key }
        );
    }
}

// Not derived, which would ask the same of the space.
impl<K: Clone, S: ?Sized> Clone for Handle<'_, K, S> {
    fn clone(&self) -> Self {
        Self {
            space: self.space,
            key: self.key.clone(),
            mode: self.mode,
        }
    }
}

impl<K: fmt::Debug, S: fmt::Debug + ?Sized> fmt::Debug for Handle<'_, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("space", &self.space)
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish()
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
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct ReentrantHandle<'a, K, S: ?Sized = Locks>(Handle<'a, K, S>);

impl<K: LockKey, S: Space + ?Sized> ReentrantHandle<'_, K, S> {
    /// As [`Handle::lock`], but goes straight in if the thread holds the key.
    ///
    /// # Errors
    ///
    /// As [`Handle::lock`]; of lock files [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock)
    /// also if the thread holds the key shared, and asks for it exclusively.
    ///
    /// # Panics
    ///
    /// As [`Handle::lock`]; of [`Locks`] also if the thread holds the key shared, and asks for it
    /// exclusively.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> Outcome<S::Machine, GuardOf<S::Machine>> {
        self.0.block(Reentry::Allowed, Site::here())
    }

    /// As [`Handle::try_lock`], but goes straight in if the thread holds the key.
    ///
    /// # Errors
    ///
    /// As [`Handle::try_lock`]; [`ErrorKind::Busy`](crate::ErrorKind::Busy) only if
    /// somebody else holds the lock.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Result<GuardOf<S::Machine>, Error> {
        let Handle { space, key, mode } = &self.0;
        space.try_now(key, *mode, Reentry::Allowed, Site::here())
    }

    /// As [`Handle::lock_timeout`], but goes straight in if the thread holds the key.
    ///
    /// # Errors
    ///
    /// As [`Handle::lock_timeout`].
    #[inline]
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<GuardOf<S::Machine>, Error> {
        let Handle { space, key, mode } = &self.0;
        space.block_for(key, *mode, Reentry::Allowed, Site::here(), timeout)
    }
}

impl<K: Clone, S: ?Sized> Clone for ReentrantHandle<'_, K, S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: fmt::Debug, S: fmt::Debug + ?Sized> fmt::Debug for ReentrantHandle<'_, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReentrantHandle").field(&self.0).finish()
    }
}

/// Several locks of a space, to be taken together.
///
/// Made by [`Locks::keys`], and as a [`FileKeysHandle`](crate::FileKeysHandle) by
/// [`FileLocks::keys`](crate::FileLocks::keys). All of them are held, or none; while one is
/// waited for, those before it in the order are held. One guard holds them, and releases in
/// reverse. Errors have the key that was in the way; none is held then. What waiting gives
/// depends on the space, as of a [`Handle`].
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
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct KeysHandle<'a, S: ?Sized = Locks> {
    space: &'a S,
    keys: Keys,
    mode: Mode,
}

impl<'a, S: Space + ?Sized> KeysHandle<'a, S> {
    /// Names several locks of a space, for the `keys` method of a space of one's own.
    #[inline]
    pub fn new<I>(space: &'a S, keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: LockKey,
    {
        let mut keys = keys.into_iter();
        let mut handle = Self {
            space,
            keys: Keys::new(),
            mode: Mode::Exclusive,
        };
        // Filled where it stands: to move a list costs as much as a lock. So it is with the iterator, which has the keys in it
        // if they are an array.
        handle.keys.reserve(keys.size_hint().0);
        for key in &mut keys {
            handle.keys.add(&key);
        }
        handle
    }

    #[inline]
    fn begin(&self, site: Site) -> Begun<GuardOf<S::Machine>, S::Machine> {
        self.space.begin_all(&self.keys, self.mode, site)
    }

    fn acquire(&self, site: Site) -> Acquire<S::Machine> {
        self.space.wait_all(self.keys.to_vec(), self.mode, site)
    }

    /// Asks for shared holds, as [`Handle::shared`].
    pub fn shared(mut self) -> Self
    where
        S::Machine: Sharable,
    {
        self.mode = Mode::Shared;
        self
    }

    /// Acquires the locks, and blocks the thread until it has them all.
    ///
    /// # Errors
    ///
    /// As [`Handle::lock`].
    ///
    /// # Panics
    ///
    /// As [`Handle::lock`].
    #[must_use = "dropping a guard at once releases its lock; write `let _guard = ..`, not `let _ = ..`"]
    #[track_caller]
    pub fn lock(&self) -> Outcome<S::Machine, GuardOf<S::Machine>> {
        let result = self.begin(Site::here()).block();
        <S::Machine as Machine>::Failure::outcome(result)
    }

    /// Acquires the locks, and lets other tasks run until it has them all.
    ///
    /// # Errors
    ///
    /// As [`Handle::lock_async`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue and releases the locks that it has.
    #[track_caller]
    pub fn lock_async(&self) -> LockFuture<S::Machine> {
        LockFuture::new(self.acquire(Site::here()))
    }

    /// Acquires the locks if nobody holds one of them.
    ///
    /// # Errors
    ///
    /// As [`Handle::try_lock`], with the first key that is busy.
    #[track_caller]
    pub fn try_lock(&self) -> Result<GuardOf<S::Machine>, Error> {
        self.begin(Site::here()).try_now()
    }

    /// Acquires the locks for a task if nobody holds one of them.
    ///
    /// # Errors
    ///
    /// As [`KeysHandle::try_lock`].
    #[track_caller]
    pub fn try_lock_async(&self) -> TryLockFuture<S::Machine> {
        self.acquire(Site::here()).try_async()
    }

    /// Acquires the locks, and blocks the thread until it has them all or the time, which
    /// is one for all of them, is over.
    ///
    /// # Errors
    ///
    /// As [`Handle::lock_timeout`], with the key that was waited for; none is held then.
    #[track_caller]
    pub fn lock_timeout(&self, timeout: Duration) -> Result<GuardOf<S::Machine>, Error> {
        self.begin(Site::here()).block_for(timeout)
    }

    /// Acquires the locks, and lets other tasks run until it has them all or the time, which
    /// is one for all of them, is over.
    ///
    /// # Errors
    ///
    /// As [`Handle::lock_timeout_async`], with the key that was waited for; none is held then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue and releases the locks that it has.
    #[track_caller]
    pub fn lock_timeout_async(&self, timeout: Duration) -> LockTimeoutFuture<S::Machine> {
        self.acquire(Site::here()).timed(timeout)
    }
}

impl<S: ?Sized> Clone for KeysHandle<'_, S> {
    fn clone(&self) -> Self {
        Self {
            space: self.space,
            keys: self.keys.clone(),
            mode: self.mode,
        }
    }
}

impl<S: fmt::Debug + ?Sized> fmt::Debug for KeysHandle<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysHandle")
            .field("space", &self.space)
            .field("keys", &self.keys)
            .field("mode", &self.mode)
            .finish()
    }
}

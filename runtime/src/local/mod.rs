//! The in-process engine.
//!
//! All spaces of a process share one registry ([`table`]), in which a lock has an
//! entry only while somebody holds or awaits it. An entry has one wait queue for
//! threads and tasks alike, since both wait with a [`Waker`](std::task::Waker);
//! a thread's waker unblocks the thread.
//!
//! Taking a lock is one state machine, [`acquire::Acquire`]: try, else queue, be
//! woken, try again. Polling it is how a task takes a lock; a thread polls it and
//! blocks in between. Dropping it half-way leaves the queue. The result is a
//! [`Hold`], whose drop releases.
//!
//! This module is what users see of it: [`Locks`], the [`Handle`] of one key, and
//! the process-wide space.

mod acquire;
mod bucket;
mod entry;
mod identity;
mod table;

use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::key::{Key, LockKey};
use crate::owner::Owner;
use crate::site::{Holder, Record, Site};
use crate::snapshot::LockState;
use crate::space::Space;
use acquire::{Acquire, Request};
use identity::Identity;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use table::Name;

pub(crate) use table::Hold;

/// An in-process lock space: every key in it is a lock.
///
/// Threads and tasks of the process exclude each other by (space, key). A space
/// is a value with an identity: two `Locks::new("cells")` are two spaces, and the
/// name is for people and logs. It costs nothing until it is used, and a key costs
/// nothing while nobody holds or awaits it.
///
/// Put it in a `static`, or in a field of the thing it guards. A `const` of this
/// type would be a new space at every use.
///
/// # Deadlocks
///
/// A thread or task that takes a key it already holds waits for itself, for ever.
/// So do two that each hold a key and take the other's.
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// let guard = CELLS.key("2f1c").lock();
/// assert!(CELLS.key("2f1c").is_locked());
/// assert!(CELLS.key("81d0").try_lock().is_ok());
/// drop(guard);
/// assert!(!CELLS.key("2f1c").is_locked());
/// ```
pub struct Locks {
    name: &'static str,
    identity: Identity,
}

impl Locks {
    /// Makes a lock space with a name for people and logs.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            identity: Identity::new(),
        }
    }

    /// The name given to [`Locks::new`].
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Names one lock of the space, for its methods to take.
    ///
    /// `key` is a value or a reference; its text is copied. Nothing is locked yet.
    #[inline]
    pub fn key(&self, key: impl LockKey) -> Handle<'_> {
        Handle {
            locks: self,
            key: Key::new(key),
        }
    }

    #[inline]
    fn id(&self) -> u64 {
        self.identity.number(self.name)
    }

    #[inline]
    fn acquire(&self, key: Key, site: Site) -> Acquire {
        Acquire::new(Request {
            space: self.id(),
            key,
            site,
        })
    }

    #[inline]
    pub(crate) fn hold(&self, key: &Key, site: Site) -> Guard {
        // Tried without a copy of the key, which is a part of what this costs.
        let record = Record {
            owner: Owner::thread(),
            site,
        };
        let hold = table::try_take(Name::new(self.id(), key), record)
            .unwrap_or_else(|| self.acquire(key.clone(), site).block());
        Guard::new(hold)
    }

    #[inline]
    pub(crate) fn hold_async(&self, key: Key, site: Site) -> LockFuture {
        LockFuture(self.acquire(key, site))
    }

    fn try_hold(&self, key: &Key, site: Site) -> Result<Guard, Error> {
        let name = Name::new(self.id(), key);
        let record = Record {
            owner: Owner::thread(),
            site,
        };
        table::try_take(name, record)
            .map(Guard::new)
            .ok_or_else(|| {
                let holder = table::holder(name).map(Holder::from);
                Error::busy(self.name, holder, key.clone())
            })
    }

    fn is_held(&self, key: &Key) -> bool {
        table::holder(Name::new(self.id(), key)).is_some()
    }
}

impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id();
        f.debug_struct("Locks")
            .field("name", &self.name)
            .field("locks", &table::states(|space| space == id))
            .finish_non_exhaustive()
    }
}

impl Space for Locks {
    type Guard = Guard;
    type AsyncGuard = AsyncGuard;
    type Failure = Infallible;
    type Acquire = Sure<LockFuture>;

    #[inline]
    fn acquire(&self, key: Key, site: Site) -> Result<Guard, Infallible> {
        Ok(self.hold(&key, site))
    }

    #[inline]
    fn acquire_async(&self, key: Key, site: Site) -> Sure<LockFuture> {
        Sure(self.hold_async(key, site))
    }

    fn try_acquire(&self, key: Key, site: Site) -> Result<Guard, Error> {
        self.try_hold(&key, site)
    }
}

/// One lock of a space: a key, not yet held.
///
/// Made by [`Locks::key`].
#[derive(Clone, Debug)]
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct Handle<'a> {
    locks: &'a Locks,
    key: Key,
}

impl Handle<'_> {
    /// Acquires the lock, and blocks the thread until it has it.
    ///
    /// In async code use [`Handle::lock_async`], which lets other tasks run.
    ///
    /// Taking a key that the caller itself holds waits for ever.
    #[track_caller]
    pub fn lock(&self) -> Guard {
        self.locks.hold(&self.key, Site::here())
    }

    /// Acquires the lock, and lets other tasks run until it has it.
    ///
    /// Works under any executor.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue; a lock that was just being handed
    /// over to it goes to the next waiter.
    #[track_caller]
    pub fn lock_async(&self) -> LockFuture {
        self.locks.hold_async(self.key.clone(), Site::here())
    }

    /// Acquires the lock if nobody holds it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy), also when it is the caller who
    /// holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Result<Guard, Error> {
        self.locks.try_hold(&self.key, Site::here())
    }

    /// Tells whether somebody holds the lock.
    ///
    /// For tests and assertions: by the time it returns, the answer may be old.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locks.is_held(&self.key)
    }

    /// Panics unless somebody holds the lock; behind [`assert_locked!`](crate::assert_locked).
    #[doc(hidden)]
    #[track_caller]
    pub fn assert_locked(&self) {
        let Self {
            locks: Locks { name: space, .. },
            key,
        } = self;
        assert!(
            self.is_locked(),
            "lock {} is not held; its holder must call this",
            crate::error::LockName { space, key }
        );
    }
}

/// The wait of a task for a lock; gives an [`AsyncGuard`].
///
/// Made by [`Handle::lock_async`] and [`lock_async`].
///
/// # Cancel safety
///
/// Dropping it leaves the queue; a lock that was just being handed over to it
/// goes to the next waiter.
#[must_use = "a future takes no lock until it is awaited"]
#[derive(Debug)]
pub struct LockFuture(Acquire);

impl Future for LockFuture {
    type Output = AsyncGuard;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AsyncGuard> {
        Pin::new(&mut self.0).poll(context).map(AsyncGuard::new)
    }
}

/// A [`Space::Acquire`] that can't fail.
#[derive(Debug)]
pub struct Sure<F>(F);

impl<F: Future + Unpin> Future for Sure<F> {
    type Output = Result<F::Output, Infallible>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(Ok)
    }
}

static GLOBAL: Locks = Locks::new("global");

/// The process-wide lock space, which `#[synchronized(key = ..)]` uses.
#[must_use]
#[inline]
pub fn global() -> &'static Locks {
    &GLOBAL
}

/// Acquires a lock of the process-wide space, and blocks the thread until it has it.
///
/// As [`Handle::lock`] does.
///
/// # Examples
///
/// ```
/// let guard = lockutils::lock("name");
/// assert!(lockutils::is_locked("name"));
/// ```
#[track_caller]
pub fn lock(key: impl LockKey) -> Guard {
    GLOBAL.hold(&Key::new(key), Site::here())
}

/// Acquires a lock of the process-wide space, and lets other tasks run until it has it.
///
/// As [`Handle::lock_async`] does.
///
/// # Cancel safety
///
/// Dropping the future leaves the queue; a lock that was just being handed over
/// to it goes to the next waiter.
#[track_caller]
pub fn lock_async(key: impl LockKey) -> LockFuture {
    GLOBAL.hold_async(Key::new(key), Site::here())
}

/// Acquires a lock of the process-wide space if nobody holds it.
///
/// # Errors
///
/// [`ErrorKind::Busy`](crate::ErrorKind::Busy), also when it is the caller who holds it.
#[track_caller]
pub fn try_lock(key: impl LockKey) -> Result<Guard, Error> {
    GLOBAL.try_hold(&Key::new(key), Site::here())
}

/// Tells whether somebody holds a lock of the process-wide space.
///
/// For tests and assertions: by the time it returns, the answer may be old.
#[must_use]
pub fn is_locked(key: impl LockKey) -> bool {
    GLOBAL.key(key).is_locked()
}

/// Panics unless somebody holds the lock.
///
/// For functions that must be called under a lock, and for tests. It can't tell
/// whether the holder is the caller.
///
/// # Examples
///
/// ```
/// use lockutils::{Locks, assert_locked};
///
/// static CELLS: Locks = Locks::new("cells");
///
/// fn forget(uuid: &str) {
///     assert_locked!(CELLS, uuid);
/// }
///
/// let _guard = CELLS.key("2f1c").lock();
/// forget("2f1c");
///
/// let _guard = lockutils::lock("name");
/// assert_locked!("name");
/// ```
#[macro_export]
macro_rules! assert_locked {
    ($key:expr $(,)?) => {
        $crate::global().key(&$key).assert_locked()
    };
    ($space:expr, $key:expr $(,)?) => {
        $space.key(&$key).assert_locked()
    };
}

/// The state of every lock of the process that is held or awaited.
pub(crate) fn states() -> Vec<LockState> {
    table::states(|_| true)
}

//! The in-process engine.
//!
//! All spaces of a process share one registry, in which a lock takes up room only
//! while somebody holds or awaits it. A lock has one wait queue for threads and tasks
//! alike, since both wait with a [`Waker`](std::task::Waker); a thread's waker
//! unblocks the thread.
//!
//! Taking a lock is one state machine, [`LockFuture`] in [`acquire`]: try, else
//! queue, be woken, try again. Polling it is how a task takes a lock; a thread polls
//! it and blocks in between. Dropping it half-way leaves the queue. The result is a
//! [`Hold`], whose drop releases.
//!
//! From top to bottom: [`Locks`] here, [`handle`] and [`global`] are what users see;
//! [`acquire`] waits; [`table`] finds the lock, which is a [`bucket`] on the fast
//! path and an [`entry`] with a queue on the slow one.

mod acquire;
mod bucket;
mod deadlock;
mod entry;
mod global;
mod handle;
mod identity;
mod table;

use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::key::{Key, LockKey};
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::space::{Begun, Space};
use acquire::{Acquire, Request};
use entry::Policy;
use identity::Identity;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use table::{Name, SpaceId, Terms};

pub(crate) use acquire::Held;
pub use acquire::{LockFuture, LockTimeoutFuture};
pub use global::{global, is_locked, lock, lock_async, try_lock};
pub use handle::{Handle, KeysHandle, ReentrantHandle};
pub(crate) use table::states;

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
    policy: Policy,
}

impl Locks {
    /// Makes a lock space with a name for people and logs.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let policy = Policy {
            permits: 1,
            fair: false,
        };
        Self {
            name,
            identity: Identity::new(),
            policy,
        }
    }

    /// Lets up to `permits` holders have each key at once.
    ///
    /// A shared hold takes one permit, as any other does.
    ///
    /// # Panics
    ///
    /// If `permits` is zero; in a `static` that is a compile error.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::Locks;
    ///
    /// static DOWNLOADS: Locks = Locks::new("downloads").permits(2);
    ///
    /// let first = DOWNLOADS.key("host").lock();
    /// let second = DOWNLOADS.key("host").lock();
    /// assert!(DOWNLOADS.key("host").try_lock().is_err());
    /// ```
    ///
    /// ```compile_fail,E0080
    /// static NOBODY: lockutils::Locks = lockutils::Locks::new("nobody").permits(0);
    /// ```
    #[must_use]
    pub const fn permits(mut self, permits: u32) -> Self {
        assert!(
            permits > 0,
            "a lock with no permits could never be taken; give at least one"
        );
        self.policy.permits = permits;
        self
    }

    /// Serves waiters strictly in the order of their arrival.
    ///
    /// Without it a newcomer may take a lock that has just been released before those
    /// who wait, for up to a millisecond of their wait, since that is several times
    /// faster under contention.
    #[must_use]
    pub const fn fair(mut self) -> Self {
        self.policy.fair = true;
        self
    }

    /// The name given to [`Locks::new`].
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

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
    pub fn keys<I>(&self, keys: I) -> KeysHandle<'_>
    where
        I: IntoIterator,
        I::Item: LockKey,
    {
        KeysHandle::new(self, keys.into_iter().map(Key::new).collect())
    }

    #[inline]
    fn id(&self) -> SpaceId {
        SpaceId {
            number: self.identity.number(self.name),
            policy: self.policy,
        }
    }

    /// Takes a lock for a thread if it has room; else calls `or_else` with its name.
    #[inline]
    fn try_hold<E>(
        &self,
        key: &(impl LockKey + ?Sized),
        terms: Terms,
        site: Site,
        or_else: impl FnOnce(Name<'_>) -> E,
    ) -> Result<Held, E> {
        self.with_name(key, |name| {
            let record = Record {
                owner: Owner::thread(),
                site,
            };
            table::try_take(name, terms, record)
                .map(Held::One)
                .ok_or_else(|| or_else(name))
        })
    }

    /// Calls `f` with the name of the key's lock; copies the key's text only if it
    /// has to.
    #[inline]
    fn with_name<R>(&self, key: &(impl LockKey + ?Sized), f: impl FnOnce(Name<'_>) -> R) -> R {
        match key.as_text() {
            Some(text) => f(Name::new(self.id(), text.as_bytes())),
            None => f(Name::new(self.id(), Key::of(key).as_bytes())),
        }
    }

    #[inline]
    fn acquire(&self, key: &(impl LockKey + ?Sized), terms: Terms, site: Site) -> Acquire {
        Acquire::one(Request {
            space: self.id(),
            key: Key::of(key),
            terms,
            site,
        })
    }
}

impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.id().number;
        f.debug_struct("Locks")
            .field("name", &self.name)
            .field("locks", &states(|space| space == number))
            .finish_non_exhaustive()
    }
}

impl Space for Locks {
    type Guard = Guard;
    type AsyncGuard = AsyncGuard;
    type Failure = Infallible;
    type Wait = Sure;

    #[inline]
    fn begin(&self, key: &dyn LockKey, site: Site) -> Begun<Self> {
        let wait = |name: Name<'_>| Acquire::one(name.request(Terms::EXCLUSIVE, site));
        match self.try_hold(key, Terms::EXCLUSIVE, site, wait) {
            Ok(held) => Begun::Held(Guard::new(held)),
            Err(wait) => Begun::Wait(Sure(LockFuture(wait))),
        }
    }

    fn block(Sure(LockFuture(wait)): Sure) -> Result<Guard, Infallible> {
        Ok(Guard::new(wait.block()))
    }

    #[inline]
    fn begin_async(&self, key: &dyn LockKey, site: Site) -> Sure {
        Sure(LockFuture(self.acquire(key, Terms::EXCLUSIVE, site)))
    }

    fn try_lock(&self, key: &dyn LockKey, site: Site) -> Result<Guard, Error> {
        self.try_hold(key, Terms::EXCLUSIVE, site, table::busy)
            .map(Guard::new)
    }
}

/// A wait for a lock that can't fail.
#[derive(Debug)]
pub struct Sure(LockFuture);

impl Future for Sure {
    type Output = Result<AsyncGuard, Infallible>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(Ok)
    }
}

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
mod entry;
mod global;
mod handle;
mod identity;
mod table;

use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::key::{Key, LockKey};
use crate::owner::Owner;
use crate::site::{Holder, Record, Site};
use crate::space::{Begun, Space};
use identity::Identity;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use table::Name;

pub use acquire::LockFuture;
pub use global::{global, is_locked, lock, lock_async, try_lock};
pub use handle::Handle;
pub(crate) use table::{Hold, states};

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
    /// `key` is a value or a reference. Nothing is locked yet.
    #[inline]
    pub fn key<K: LockKey>(&self, key: K) -> Handle<'_, K> {
        Handle::new(self, key)
    }

    #[inline]
    fn number(&self) -> u64 {
        self.identity.number(self.name)
    }

    /// Calls `f` with the name of the key's lock; copies the key's text only if it
    /// has to.
    #[inline]
    fn with_name<R>(&self, key: &(impl LockKey + ?Sized), f: impl FnOnce(Name<'_>) -> R) -> R {
        match key.as_text() {
            Some(text) => f(Name::new(self.number(), text.as_bytes())),
            None => f(Name::new(self.number(), Key::of(key).as_bytes())),
        }
    }

    /// Takes the lock for a thread, or says how to wait for it.
    #[inline]
    fn try_hold(&self, key: &(impl LockKey + ?Sized), site: Site) -> Result<Hold, LockFuture> {
        self.with_name(key, |name| {
            let record = Record {
                owner: Owner::thread(),
                site,
            };
            table::try_take(name, record)
                .ok_or_else(|| LockFuture::new(name.space(), name.key(), site))
        })
    }

    #[inline]
    fn hold(&self, key: &(impl LockKey + ?Sized), site: Site) -> Guard {
        Guard::new(self.try_hold(key, site).unwrap_or_else(LockFuture::block))
    }

    #[inline]
    fn hold_async(&self, key: &(impl LockKey + ?Sized), site: Site) -> LockFuture {
        LockFuture::new(self.number(), Key::of(key), site)
    }

    fn hold_now(&self, key: &(impl LockKey + ?Sized), site: Site) -> Result<Guard, Error> {
        self.with_name(key, |name| {
            let record = Record {
                owner: Owner::thread(),
                site,
            };
            let hold = table::try_take(name, record).ok_or_else(|| {
                let holder = table::holder(name).map(Holder::from);
                Error::busy(self.name, holder, name.key())
            })?;
            Ok(Guard::new(hold))
        })
    }

    fn is_held(&self, key: &(impl LockKey + ?Sized)) -> bool {
        self.with_name(key, |name| table::holder(name).is_some())
    }
}

impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number();
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
        match self.try_hold(key, site) {
            Ok(hold) => Begun::Held(Guard::new(hold)),
            Err(wait) => Begun::Wait(Sure(wait)),
        }
    }

    fn block(Sure(wait): Sure) -> Result<Guard, Infallible> {
        Ok(Guard::new(wait.block()))
    }

    #[inline]
    fn begin_async(&self, key: &dyn LockKey, site: Site) -> Sure {
        Sure(self.hold_async(key, site))
    }

    fn try_lock(&self, key: &dyn LockKey, site: Site) -> Result<Guard, Error> {
        self.hold_now(key, site)
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

//! The in-process engine.
//!
//! All spaces of a process share one registry, in which a lock takes up room only
//! while somebody holds or awaits it. A lock has one wait queue for threads and tasks
//! alike, since both wait with a [`Waker`](std::task::Waker); a thread's waker
//! unblocks the thread.
//!
//! Taking a lock is one state machine, [`Acquire`]: try, else queue, be woken, try
//! again. A task takes a step of it when it is polled; a thread blocks between the
//! steps. Dropping it half-way leaves the queue. The result is a [`Hold`], whose drop
//! releases.
//!
//! From top to bottom: [`Locks`] here, [`handle`] and [`mod@global`] are what users see;
//! [`acquire`] waits, and has the [`graph`](crate::graph) look whether that could ever end; the
//! [`table`] finds the lock, which is a bucket on the fast path and an entry with a queue
//! on the slow one.

mod acquire;
mod global;
mod handle;
#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod pauses;
mod request;
#[cfg(all(test, not(loom)))]
mod shown;

use crate::error::Error;
use crate::graph;
use crate::guard::{AsyncGuard, Guard};
use crate::held::Held;
use crate::key::{Key, LockKey, text_of};
use crate::name::describe;
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::space::{self, Begun, Reentry, Space, Task, Wait};
use crate::state::LockState;
use crate::table::identity::Identity;
use crate::table::policy::{Mode, Policy, Terms};
use crate::table::{self, Hold, Name, SpaceId};
use request::Request;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) use acquire::{Acquire, Signal};
pub use acquire::{LockFuture, LockTimeoutFuture};
pub use global::{global, is_locked, lock, lock_async, try_lock};
pub use handle::{Handle, KeysHandle, ReentrantHandle};

/// An in-process lock space: every key in it is a lock.
///
/// Threads and tasks of the process exclude each other by (space, key). A space
/// is a value with an identity: two `Locks::new("cells")` are two spaces, and the
/// name is for people and logs. It costs nothing until it is used, and a key costs
/// nothing while nobody holds or awaits it.
///
/// Put it in a `static`, or in a field of the thing it guards, and share it by reference
/// or by `Arc`. A `const` of this type would be a new space at every use, and exclude nobody.
///
/// # Deadlocks
///
/// A thread that takes a key it already holds would wait for itself, and so would two
/// that each hold a key and take the other's. Such a cycle, of any length, is found when it
/// closes. If one of its calls can fail, such as a [`Handle::lock_timeout`], that one gives an
/// [`Error`] at once, with a list of the locks, places and threads in it; if none can,
/// the call that closes it panics with that list. Use [`Handle::reentrant`] for the
/// first, and [`Locks::keys`], or one order for all, for the second.
///
/// Where an async task is part of the cycle, nothing fails, since one branch of a task
/// may release what another one waits for; see
/// [`set_deadlock_hook`](crate::set_deadlock_hook).
///
/// A blocking `lock()` inside of a task keeps a thread from running tasks. If it waits for what
/// a task holds, and no other thread is left to run that one, neither goes on: in async code use
/// the async methods. A thread that blocks for a second while a task has the lock is
/// reported to the hook as well. A thread that waits for a task by `block_on` is taken for
/// a task itself.
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
    /// A shared hold takes one permit, as any other does. What this gives is a space of its
    /// own, also where another one was made into it after it was used.
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
    #[track_caller]
    pub const fn permits(mut self, permits: u32) -> Self {
        assert!(
            permits > 0,
            "a lock with no permits could never be taken; give at least one"
        );
        self.policy.permits = permits;
        // Another space from here on, if this one was used already: what it was used as is in
        // its number.
        self.identity = Identity::new();
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
        self.identity = Identity::new(); // As in `permits`.
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
        KeysHandle::new(
            self,
            keys.into_iter().map(Key::new).collect(),
            Terms::EXCLUSIVE,
        )
    }

    #[inline]
    fn id(&self) -> SpaceId {
        SpaceId {
            number: self.identity.number(self.name, self.policy),
            policy: self.policy,
        }
    }

    /// Takes a lock for a thread if nobody else is near; gives what
    /// [`Guard::thin`] takes.
    #[inline]
    fn try_thin(&self, text: &[u8], terms: Terms, site: Site) -> Option<u64> {
        match terms.mode {
            Mode::Exclusive => self.try_thin_exclusive(text, site),
            Mode::Shared => None,
        }
    }

    /// The same for a task.
    #[inline]
    fn try_thin_async(&self, text: &[u8], terms: Terms, site: Site, task: Owner) -> Option<u64> {
        match terms.mode {
            Mode::Exclusive => self.try_thin_for(text, site, task),
            Mode::Shared => None,
        }
    }

    /// All of the fast path in one function, whose arguments are in registers.
    fn try_thin_exclusive(&self, text: &[u8], site: Site) -> Option<u64> {
        let (Some(number), Some(owner)) = (self.identity.known(), Owner::known_thread()) else {
            return self.try_thin_first(text, site);
        };
        let policy = self.policy;
        let name = Name::new(SpaceId { number, policy }, text);
        table::try_take_thin(name, Record { owner, site })
    }

    /// The same for a task.
    fn try_thin_for(&self, text: &[u8], site: Site, owner: Owner) -> Option<u64> {
        table::try_take_thin(Name::new(self.id(), text), Record { owner, site })
    }

    /// The same for the first use of the space, or the first by the thread. Apart from it,
    /// so that it calls nothing, and needs no stack.
    #[cold]
    fn try_thin_first(&self, text: &[u8], site: Site) -> Option<u64> {
        let (_space, _thread) = (self.id(), Owner::thread());
        self.try_thin_exclusive(text, site)
    }

    /// Takes a lock for a thread if it is free, or soon is.
    #[inline]
    pub(crate) fn try_soon(&self, text: &[u8], terms: Terms, site: Site) -> Option<Held> {
        match self.try_thin(text, terms, site) {
            Some(hash) => Some(Held::thin(hash)),
            None => acquire::take_or_spin(Name::new(self.id(), text), terms, site).map(Held::one),
        }
    }

    /// Takes a lock for a thread, and blocks it until it has it.
    #[inline]
    #[track_caller]
    fn lock(&self, text: &[u8], terms: Terms, site: Site) -> Guard {
        match self.try_thin(text, terms, site) {
            Some(hash) => Guard::thin(hash),
            None => Guard::new(self.block(text, terms, site)),
        }
    }

    /// The same where the fast path is of no use.
    #[cold]
    #[track_caller]
    fn block(&self, text: &[u8], terms: Terms, site: Site) -> Held {
        match acquire::take_or_spin(Name::new(self.id(), text), terms, site) {
            Some(hold) => Held::one(hold),
            None => self.acquire_text(text, terms, site).block_in_queue(),
        }
    }

    /// Takes a lock for a thread, and blocks it until it has it or the time is over.
    #[inline]
    fn lock_for(
        &self,
        text: &[u8],
        terms: Terms,
        site: Site,
        timeout: Duration,
    ) -> Result<Guard, Error> {
        if let Some(hash) = self.try_thin(text, terms, site) {
            return Ok(Guard::thin(hash));
        }
        let acquire = self.acquire_text(text, terms, site);
        acquire.block_for(timeout).map(Guard::new)
    }

    /// Takes a lock for a thread if it has room.
    #[inline]
    fn try_now(&self, text: &[u8], terms: Terms, site: Site) -> Result<Hold, Error> {
        match self.try_thin(text, terms, site) {
            Some(hash) => Ok(Hold::thin(hash)),
            None => self.try_room(text, terms, site),
        }
    }

    /// The same where the fast path is of no use.
    #[cold]
    fn try_room(&self, text: &[u8], terms: Terms, site: Site) -> Result<Hold, Error> {
        let name = Name::new(self.id(), text);
        let record = Record {
            owner: Owner::thread(),
            site,
        };
        table::try_take(name, terms, record).ok_or_else(|| request::busy(name))
    }

    /// Whether somebody holds the lock of the text.
    fn is_held(&self, text: &[u8]) -> bool {
        table::holder(Name::new(self.id(), text)).is_some()
    }

    /// The state of a lock; `None` if nobody holds or awaits it.
    pub(crate) fn state(&self, key: &Key) -> Option<LockState> {
        table::state(Name::new(self.id(), key.as_bytes()), &graph::suspected())
    }

    #[inline]
    pub(crate) fn acquire(
        &self,
        key: &(impl LockKey + ?Sized),
        terms: Terms,
        site: Site,
    ) -> Acquire {
        let space = self.id();
        Acquire::one(match key.as_text() {
            Some(text) => Request::of_text(space, text, terms, site),
            None => Request::of_key(space, Key::written(key), terms, site),
        })
    }

    /// The same of a key whose text has been taken already.
    fn acquire_text(&self, text: &[u8], terms: Terms, site: Site) -> Acquire {
        Acquire::one(Request::of_key(
            self.id(),
            Key::from_utf8(text),
            terms,
            site,
        ))
    }

    /// Makes ready to wait.
    #[cold]
    fn wait_text(&self, text: &[u8], terms: Terms, site: Site) -> Sure {
        Sure(Box::new(LockFuture(self.acquire_text(text, terms, site))))
    }
}

/// By its name alone: who holds what is [`snapshot`](crate::snapshot)'s to say, which costs more.
impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Policy { permits, fair } = self.policy;
        f.debug_struct("Locks")
            .field("name", &self.name)
            .field("permits", &permits)
            .field("fair", &fair)
            .finish_non_exhaustive()
    }
}

impl Space for Locks {
    type Wait = Sure;

    fn wait(&self, key: &dyn LockKey, terms: space::Terms, site: Site) -> Sure {
        Sure(Box::new(LockFuture(self.acquire(key, terms.into(), site))))
    }

    fn wait_all(&self, keys: Vec<Key>, terms: space::Terms, site: Site) -> Sure {
        let handle = KeysHandle::new(self, keys, terms.into());
        Sure(Box::new(LockFuture(handle.acquire(site))))
    }

    #[inline]
    fn begin(
        &self,
        key: &dyn LockKey,
        terms: space::Terms,
        site: Site,
    ) -> Begun<ThinHold<Guard>, Sure> {
        let (mut copy, terms) = (Key::empty(), terms.into());
        let text = text_of(key, &mut copy);
        match self.try_thin(text, terms, site) {
            Some(hash) => Begun::Held(ThinHold::new(hash)),
            None => Begun::Wait(self.wait_text(text, terms, site)),
        }
    }

    #[inline]
    fn begin_async(
        &self,
        key: &dyn LockKey,
        terms: space::Terms,
        site: Site,
        Task(owner): Task,
    ) -> Begun<ThinHold<AsyncGuard>, Sure> {
        let (mut copy, terms) = (Key::empty(), terms.into());
        let text = text_of(key, &mut copy);
        match self.try_thin_async(text, terms, site, owner) {
            Some(hash) => Begun::Held(ThinHold::new(hash)),
            None => Begun::Wait(self.wait_text(text, terms, site)),
        }
    }
}

impl From<space::Terms> for Terms {
    #[inline]
    fn from(space::Terms { shared }: space::Terms) -> Self {
        let mode = if shared {
            Mode::Shared
        } else {
            Mode::Exclusive
        };
        Self {
            mode,
            reentrant: false,
        }
    }
}

/// A hold of the fast path, in one word, of which a guard `G` can be made. A guard has two,
/// of which the second says that it was the fast path. As `G` is, it is a thread's or a task's.
#[doc(hidden)]
pub struct ThinHold<G>(u64, PhantomData<G>);

impl<G> fmt::Debug for ThinHold<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hold = ManuallyDrop::new(Hold::thin(self.0));
        describe(f, "ThinHold", &Vec::from_iter(table::taken(&hold)))
    }
}

impl<G> ThinHold<G> {
    #[inline]
    const fn new(hash: u64) -> Self {
        Self(hash, PhantomData)
    }

    #[inline]
    fn into_hash(self) -> u64 {
        let hash = self.0;
        mem::forget(self);
        hash
    }
}

impl From<ThinHold<Self>> for Guard {
    #[inline]
    fn from(hold: ThinHold<Self>) -> Self {
        Self::thin(hold.into_hash())
    }
}

impl From<ThinHold<Self>> for AsyncGuard {
    #[inline]
    fn from(hold: ThinHold<Self>) -> Self {
        Self::thin(hold.into_hash())
    }
}

impl<G> Drop for ThinHold<G> {
    fn drop(&mut self) {
        drop(Hold::thin(self.0));
    }
}

/// A wait for a lock that can't fail. In a box, so that whoever doesn't wait moves a word.
#[doc(hidden)]
#[derive(Debug)]
pub struct Sure(Box<LockFuture>);

impl Wait for Sure {
    type Held = ThinHold<Guard>;
    type AsyncHeld = ThinHold<AsyncGuard>;
    type Guard = Guard;
    type AsyncGuard = AsyncGuard;
    type Failure = Infallible;
    type Timed = LockTimeoutFuture;
    type Try = LockNow;

    #[track_caller]
    fn block(self, reentry: Reentry) -> Result<Guard, Infallible> {
        Ok(Guard::new(self.0.0.with(reentry).block()))
    }

    fn block_for(self, reentry: Reentry, timeout: Duration) -> Result<Guard, Error> {
        let acquire = self.0.0.with(reentry);
        acquire.block_for(timeout).map(Guard::new)
    }

    fn try_now(self, reentry: Reentry) -> Result<Guard, Error> {
        let acquire = self.0.0.with(reentry);
        acquire.try_now(Owner::thread()).map(Guard::new)
    }

    fn timed(self, timeout: Duration) -> LockTimeoutFuture {
        LockTimeoutFuture::new(self.0.0, timeout)
    }

    fn try_async(self) -> LockNow {
        LockNow(Some(self.0.0))
    }
}

impl Future for Sure {
    type Output = Result<AsyncGuard, Infallible>;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(Ok)
    }
}

/// The try of a task. It is made by a poll, which knows the task.
#[doc(hidden)]
pub struct LockNow(Option<Acquire>);

impl fmt::Debug for LockNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.0.as_ref().map(Acquire::taken);
        describe(f, "LockNow", &taken.unwrap_or_default())
    }
}

impl Future for LockNow {
    type Output = Result<AsyncGuard, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let acquire = self
            .0
            .take()
            .expect("a future was polled after it was ready");
        let held = acquire.try_now(Owner::task(context.waker()));
        Poll::Ready(held.map(AsyncGuard::new))
    }
}

//! The in-process engine.
//!
//! All spaces of a process share one registry, in which a lock takes up room only
//! while somebody holds or awaits it. A lock has one wait queue for threads and tasks
//! alike, since both wait with a [`Waker`](std::task::Waker); a thread's waker
//! unblocks the thread.
//!
//! [`Locks`] here are what users see. An [`InProcess`] takes one lock: it tries, joins the queue,
//! and tries again when it was woken; the [`graph`] looks whether that could ever
//! end. Where the lock is, the [`table`] finds: it is a bucket on the fast path and an entry with
//! a queue on the slow one.
//!
//! What is given a `dyn LockKey` is inlined in any case where a program is optimised: only then does the compiler see
//! which key it is, and calls nothing by a table. Left to itself it does so or not by what else there is in the
//! program. Where it isn't optimised, that would be more to compile in each function.

mod machine;
#[cfg(all(test, not(loom)))]
mod overtaken;
#[cfg(all(test, not(loom)))]
mod pauses;
mod request;
#[cfg(all(test, not(loom)))]
mod rested;
#[cfg(all(test, not(loom)))]
mod shown;
mod thin;

use crate::acquire::Acquire;
use crate::begun::Begun;
use crate::error::Error;
#[cfg(feature = "file")]
use crate::graph;
use crate::guard::{AsyncGuard, Guard};
use crate::held::Held;
use crate::key::uuid::UuidText;
use crate::key::{Key, LockKey, text_of};
use crate::order;
use crate::ordered::sort;
use crate::owner::{Owner, Task};
use crate::site::{Record, Site};
use crate::space::Space;
#[cfg(feature = "file")]
use crate::state::LockState;
use crate::table::fast;
use crate::table::identity::Identity;
use crate::table::looks;
#[cfg(feature = "file")]
use crate::table::party::Party;
use crate::table::policy::{Class, Mode, Policy, Reentry, Terms};
use crate::table::{self, Hold, Name, SpaceId};
pub use machine::InProcess;
use machine::{MORE_SPINS, SPINS};
use request::Request;
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;
pub(crate) use thin::Thin;

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
/// closes. If one of its calls can fail, such as a [`Handle::lock_timeout`](crate::Handle::lock_timeout), that one gives an
/// [`Error`] at once, with a list of the locks, places and threads in it; if none can,
/// the call that closes it panics with that list. Use [`Handle::reentrant`](crate::Handle::reentrant) for the
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
    class: Class,
}

impl Locks {
    /// Makes a lock space with a name for people and logs.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self::of_class(name, Class::Space)
    }

    /// The same, whose locks are of a class.
    pub(crate) const fn of_class(name: &'static str, class: Class) -> Self {
        let policy = Policy {
            permits: 1,
            fair: false,
        };
        Self {
            name,
            identity: Identity::new(),
            policy,
            class,
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
    /// faster under contention. From then on the lock is handed over. Where a thread was woken before that, it and
    /// those behind it wait until the system has run it.
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

    #[inline]
    pub(crate) fn id(&self) -> SpaceId {
        let what = || (self.policy, self.class);
        SpaceId {
            number: self.identity.number(self.name, what, order::begin),
            policy: self.policy,
        }
    }

    /// Takes a lock for a thread if nobody else is near; gives what
    /// [`Guard::thin`] takes.
    #[inline]
    fn try_thin(&self, text: &[u8], mode: Mode, site: Site) -> Option<u64> {
        match mode {
            Mode::Exclusive => self.try_thin_exclusive(text, site),
            Mode::Shared => self.try_thin_shared(text, site, Owner::thread()),
        }
    }

    /// The same for a task.
    #[inline]
    fn try_thin_async(&self, text: &[u8], mode: Mode, site: Site, task: Owner) -> Option<u64> {
        match mode {
            Mode::Exclusive => self.try_thin_for(text, site, task),
            Mode::Shared => self.try_thin_shared(text, site, task),
        }
    }

    /// Takes the lock of a key for a thread if nobody else is near. Else it gives the key's text, which is `copy`
    /// if the key hasn't it in one piece.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn try_key<'a>(
        &self,
        key: &'a dyn LockKey,
        copy: &'a mut Key,
        mode: Mode,
        site: Site,
    ) -> Result<u64, &'a [u8]> {
        if let (Some(uuid), Mode::Exclusive) = (key.lockutils_uuid(), mode) {
            if let Some(word) = self.try_thin_uuid(uuid, site) {
                return Ok(word);
            }
        }
        let text = text_of(key, copy);
        self.try_thin(text, mode, site).ok_or(text)
    }

    /// The same for a task.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn try_key_async<'a>(
        &self,
        key: &'a dyn LockKey,
        copy: &'a mut Key,
        mode: Mode,
        site: Site,
        task: Owner,
    ) -> Result<u64, &'a [u8]> {
        if let (Some(uuid), Mode::Exclusive) = (key.lockutils_uuid(), mode) {
            if let Some(word) = self.try_thin_uuid_async(uuid, site, task) {
                return Ok(word);
            }
        }
        let text = text_of(key, copy);
        self.try_thin_async(text, mode, site, task).ok_or(text)
    }

    /// All of the fast path in one function, whose arguments are in registers.
    fn try_thin_exclusive(&self, text: &[u8], site: Site) -> Option<u64> {
        self.try_thin_here(text, site)
    }

    /// The same of the key that has no text. Compiled by itself, nothing is left of how long a text is: it has a third
    /// fewer instructions.
    fn try_thin_empty(&self, site: Site) -> Option<u64> {
        self.try_thin_here(b"", site)
    }

    /// The same where it is called.
    #[expect(clippy::inline_always, reason = "the fast path is to call nothing")]
    #[inline(always)]
    fn try_thin_here(&self, text: &[u8], site: Site) -> Option<u64> {
        let number = self.identity.known_of_one_permit();
        let (Some(number), Some(owner)) = (number, Owner::known_thread()) else {
            return self.try_thin_first(text, site);
        };
        if text.len() > table::SHORT {
            return self.try_thin_first(text, site);
        }
        let policy = self.policy;
        let name = Name::new(SpaceId { number, policy }, text);
        fast::try_take_thin(name, Record { owner, site })
    }

    /// The same for a task.
    fn try_thin_for(&self, text: &[u8], site: Site, owner: Owner) -> Option<u64> {
        let Some(number) = self.identity.known_of_one_permit() else {
            return self.try_thin_any(text, site, owner);
        };
        if text.len() > table::SHORT {
            return self.try_thin_any(text, site, owner);
        }
        let policy = self.policy;
        let name = Name::new(SpaceId { number, policy }, text);
        fast::try_take_thin(name, Record { owner, site })
    }

    /// The same of a UUID, for a thread. Of a space with several permits, and for the first use of the space or by
    /// the thread, it does nothing.
    fn try_thin_uuid(&self, uuid: u128, site: Site) -> Option<u64> {
        self.try_thin_uuid_for(uuid, site, Owner::known_thread()?)
    }

    /// The same for a task.
    fn try_thin_uuid_async(&self, uuid: u128, site: Site, task: Owner) -> Option<u64> {
        self.try_thin_uuid_for(uuid, site, task)
    }

    /// The same for a thread or a task.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn try_thin_uuid_for(&self, uuid: u128, site: Site, owner: Owner) -> Option<u64> {
        let number = self.identity.known_of_one_permit()?;
        fast::try_take_uuid(number, UuidText::new(uuid), Record { owner, site })
    }

    /// The same of a space with several permits, of a long text, and for the first use of the space,
    /// or the first by the thread. Apart from it, so that it calls nothing, and needs no stack.
    #[cold]
    fn try_thin_first(&self, text: &[u8], site: Site) -> Option<u64> {
        self.try_thin_any(text, site, Owner::thread())
    }

    /// The same for a thread or a task.
    fn try_thin_any(&self, text: &[u8], site: Site, owner: Owner) -> Option<u64> {
        let name = Name::new(self.id(), text);
        fast::try_take_thin_as(name, Mode::Exclusive, Record { owner, site })
    }

    /// The same for who holds it shared.
    fn try_thin_shared(&self, text: &[u8], site: Site, owner: Owner) -> Option<u64> {
        let name = Name::new(self.id(), text);
        fast::try_take_thin_as(name, Mode::Shared, Record { owner, site })
    }

    /// Takes several locks for a thread if nobody is near any of them. Since it waits for none,
    /// it takes them in any order. Of a space with several permits, and for its first use, it does nothing.
    fn try_few(&self, keys: &[Key], mode: Mode, site: Site) -> Option<Hold> {
        if mode == Mode::Shared || keys.len() > table::MOST {
            return None;
        }
        let number = self.identity.known_of_one_permit()?;
        let (owner, policy) = (Owner::thread(), self.policy);
        let space = SpaceId { number, policy };
        let names = keys.iter().map(|key| Name::new(space, key.as_bytes()));
        fast::try_take_few(names, Record { owner, site })
    }

    /// Takes a lock for a thread if nobody else is near.
    #[inline]
    pub(crate) fn take_thin(&self, text: &[u8], mode: Mode, site: Site) -> Option<Hold> {
        self.try_thin(text, mode, site).map(Hold::thin)
    }

    /// Takes a lock for a thread if it is free, or soon is: for a lock outside of the process, which may be
    /// a brief one, see [`Engine::IS_BRIEF`](crate::engine::Engine::IS_BRIEF).
    #[inline]
    #[track_caller]
    pub(crate) fn take_soon(
        &self,
        text: &[u8],
        terms: Terms,
        site: Site,
        is_brief: bool,
    ) -> Option<Hold> {
        let spins = if is_brief { MORE_SPINS } else { SPINS };
        match self.take_thin(text, terms.mode, site) {
            Some(hold) => Some(hold),
            None => machine::take_or_spin(Name::new(self.id(), text), terms, site, spins),
        }
    }

    /// Takes a lock for a thread, and blocks it until it has it, where the fast path is of no
    /// use.
    #[cold]
    #[track_caller]
    fn block_slowly(&self, text: &[u8], terms: Terms, site: Site) -> Result<Guard, Infallible> {
        let (name, owner) = (Name::new(self.id(), text), Owner::thread());
        let mut hold = table::try_reenter(name, terms, Record { owner, site }).map(Hold::thin);
        if hold.is_none() {
            // Not in a closure, where a panic would not know its caller.
            hold = machine::take_or_spin(name, terms, site, SPINS);
        }
        match hold {
            Some(hold) => Ok(Guard::new(Held::in_process(hold))),
            None => self.acquire_text(text, terms, site).block_in_queue(),
        }
    }

    /// Takes a lock for a thread if it has room, where the fast path is of no use.
    #[cold]
    fn try_slowly(&self, text: &[u8], terms: Terms, site: Site) -> Result<Guard, Error> {
        let name = Name::new(self.id(), text);
        let record = Record {
            owner: Owner::thread(),
            site,
        };
        let taken = looks::try_take(name, terms, record);
        let taken = taken.map_err(|holder| request::busy(self.name, name, holder))?;
        Ok(Guard::new(Held::in_process(taken.hold)))
    }

    /// Whether somebody holds the lock of the text.
    pub(crate) fn is_held(&self, text: &[u8]) -> bool {
        looks::is_held(Name::new(self.id(), text))
    }

    /// The number of the space.
    pub(crate) fn number(&self) -> u64 {
        self.id().number
    }

    /// The holders of a lock.
    #[cfg(feature = "file")]
    pub(crate) fn holders(&self, key: &Key) -> Vec<Party> {
        looks::holders_of(Name::new(self.id(), key.as_bytes()))
    }

    /// The state of a lock; `None` if nobody holds or awaits it.
    #[cfg(feature = "file")]
    pub(crate) fn state(&self, key: &Key) -> Option<LockState> {
        looks::state(Name::new(self.id(), key.as_bytes()), &graph::suspected())
    }

    /// Makes ready to take a lock.
    #[inline]
    pub(crate) fn machine(&self, key: &dyn LockKey, terms: Terms, site: Site) -> InProcess {
        let mut request = Request::new(self.id(), terms, site);
        match key.as_text() {
            Some(text) => request.set_text(text),
            None => request.write(key),
        }
        InProcess::new(request)
    }

    /// The same of a key whose text has been taken already.
    fn acquire_text(&self, text: &[u8], terms: Terms, site: Site) -> Acquire<InProcess> {
        let request = Request::of_key(self.id(), Key::from_utf8(text), terms, site);
        Acquire::one(InProcess::new(request))
    }

    /// [`Space::begin`] of an exclusive lock whose key has no text.
    #[inline]
    pub(crate) fn begin_empty(&self, site: Site) -> Begun<Thin<Guard>, InProcess> {
        match self.try_thin_empty(site) {
            Some(word) => Begun::Held(Thin::new(word)),
            None => self.begin_to_wait(b"", Mode::Exclusive.once(), site),
        }
    }

    /// Makes ready to wait.
    #[cold]
    fn begin_to_wait<H>(&self, text: &[u8], terms: Terms, site: Site) -> Begun<H, InProcess> {
        Begun::Wait(Box::new(self.acquire_text(text, terms, site)))
    }

    /// Goes in again where that needs no waiting, and else makes ready to wait.
    #[cold]
    fn begin_again(&self, text: &[u8], mode: Mode, site: Site) -> Begun<Thin<Guard>, InProcess> {
        let reentry = Reentry::Allowed;
        let terms = Terms { mode, reentry };
        let (name, owner) = (Name::new(self.id(), text), Owner::thread());
        match table::try_reenter(name, terms, Record { owner, site }) {
            Some(word) => Begun::Held(Thin::new(word)),
            None => self.begin_to_wait(text, terms, site),
        }
    }
}

/// By its name alone: [`snapshot`](crate::snapshot()) says who holds what, which costs more.
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
    type Machine = InProcess;

    #[inline]
    fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<InProcess> {
        Acquire::one(self.machine(key, mode.once(), site))
    }

    fn wait_all(&self, mut keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<InProcess> {
        if !keys.is_sorted_by(|key, next| key < next) {
            sort(&mut keys, Ord::cmp);
            keys.dedup();
        }
        let machine = |key| InProcess::new(Request::of_key(self.id(), key, mode.once(), site));
        Acquire::all(keys.into_iter().map(machine).collect())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn begin(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Begun<Thin<Guard>, InProcess> {
        let mut copy = Key::empty();
        match self.try_key(key, &mut copy, mode, site) {
            Ok(hash) => Begun::Held(Thin::new(hash)),
            Err(text) => self.begin_to_wait(text, mode.once(), site),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn begin_reentrant(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        site: Site,
    ) -> Begun<Thin<Guard>, InProcess> {
        let mut copy = Key::empty();
        match self.try_key(key, &mut copy, mode, site) {
            Ok(hash) => Begun::Held(Thin::new(hash)),
            Err(text) => self.begin_again(text, mode, site),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn begin_async(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        site: Site,
        Task(owner): Task,
    ) -> Begun<Thin<AsyncGuard>, InProcess> {
        let mut copy = Key::empty();
        match self.try_key_async(key, &mut copy, mode, site, owner) {
            Ok(hash) => Begun::Held(Thin::new(hash)),
            Err(text) => self.begin_to_wait(text, mode.once(), site),
        }
    }

    #[inline]
    fn begin_all(&self, keys: &[Key], mode: Mode, site: Site) -> Begun<Guard, InProcess> {
        match self.try_few(keys, mode, site) {
            Some(hold) => Begun::Held(Guard::new(Held::in_process(hold))),
            None => Begun::Wait(Box::new(self.wait_all(keys.to_vec(), mode, site))),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    #[track_caller]
    fn block(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
    ) -> Result<Guard, Infallible> {
        // Not in a closure, where a deadlock's panic would not know its caller.
        let mut copy = Key::empty();
        match self.try_key(key, &mut copy, mode, site) {
            Ok(hash) => Ok(Guard::thin(hash)),
            Err(text) => self.block_slowly(text, Terms { mode, reentry }, site),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn block_for(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
        timeout: Duration,
    ) -> Result<Guard, Error> {
        let mut copy = Key::empty();
        match self.try_key(key, &mut copy, mode, site) {
            Ok(hash) => Ok(Guard::thin(hash)),
            Err(text) => {
                let acquire = self.acquire_text(text, Terms { mode, reentry }, site);
                acquire.block_for(timeout)
            }
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn try_now(
        &self,
        key: &dyn LockKey,
        mode: Mode,
        reentry: Reentry,
        site: Site,
    ) -> Result<Guard, Error> {
        let mut copy = Key::empty();
        match self.try_key(key, &mut copy, mode, site) {
            Ok(hash) => Ok(Guard::thin(hash)),
            Err(text) => self.try_slowly(text, Terms { mode, reentry }, site),
        }
    }
}

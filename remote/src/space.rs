//! The lock space of a server.

use crate::leases::{Leases, holder};
use crate::protocol::Look;
use crate::signal;
use crate::store::{Member, Store, Taken};
use lockutils::engine::{Acquire, Engine as _, Inspect, Mode, Outside, Queued, Refusal, Space};
use lockutils::{Error, Handle, Holder, Key, KeysHandle, LockKey, LockState, Site};
use std::fmt;
use std::fs;
use std::process;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// How long a server may be silent at least.
const SHORTEST_SILENCE: Duration = Duration::from_millis(1);

/// A lock space of a server, whose locks exclude each other wherever they are taken: in this process,
/// on other hosts.
///
/// Clones are the same space: they have one connection, one thread and one queue in the process. Two
/// that are made for one server exclude each other through the server. It connects when it is
/// used first, and its thread and connection end when the last clone is dropped, and the last guard.
///
/// A backend gives a type of its own, by [`locks_of!`](crate::locks_of), with the same methods.
///
/// Its locks can be lost. A function that is generic over spaces and says nothing of that doesn't compile for
/// this one:
///
/// ```compile_fail,E0080
/// # use lockutils::{Error, Space, synchronized};
/// # use lockutils_remote::FakeLocks;
/// #[synchronized("report", locks = space, acquire_timeout = "5s")]
/// fn report<S: Space>(space: &S) -> Result<(), Error> {
///     Ok(())
/// }
///
/// # fn main() -> Result<(), Error> {
/// report(&FakeLocks::new())
/// # }
/// ```
///
/// It has to ask for locks that can be, and to see to that:
///
/// ```
/// use lockutils::engine::{Lease, Machine};
/// use lockutils::{Error, Space, synchronized};
/// # use lockutils_remote::FakeLocks;
///
/// #[synchronized("report", locks = space, acquire_timeout = "5s", guard = lease)]
/// fn report<S>(space: &S) -> Result<(), Error>
/// where
///     S: Space<Machine: Machine<Failure = Error, Proof = Lease>>,
/// {
///     lease.check()
/// }
///
/// # fn main() -> Result<(), Error> {
/// report(&FakeLocks::new())
/// # }
/// ```
pub struct Remote<S: Store>(Queued<Leases<S>>);

/// A store that a URL says all about.
pub trait FromUrl: Store + Sized {
    /// Reads the URL. Connects to nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal::invalid_url`], with the part that is wrong and what to do, and without a password.
    fn from_url(url: &str) -> Result<Self, Refusal>;
}

impl<S: Store> Remote<S> {
    /// The locks of a server, with the settings of whoever says nothing.
    #[must_use]
    pub fn of(store: S) -> Self {
        let lease = store.shape().least_lease.max(Duration::from_secs(15));
        let member = Member {
            prefix: "lockutils".to_owned(),
            lease,
            answer_timeout: Duration::from_secs(5),
            host: host(),
            pid: process::id(),
            command: command(),
            is_for_another: false,
        };
        Self::with(Arc::new(store), member)
    }

    fn with(store: Arc<S>, member: Member) -> Self {
        Self(Queued::new(Leases::new(store, Arc::new(member))))
    }

    /// The same with other settings, which is another space.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut Member)) -> Self {
        let engine = self.0.engine();
        let mut member = Member::clone(engine.member());
        change(&mut member);
        Self::with(Arc::clone(engine.store()), member)
    }

    /// The same settings for another store: for a backend whose server has settings of its own.
    #[must_use]
    pub fn with_store(&self, store: S) -> Self {
        let member = Member::clone(self.0.engine().member());
        Self::with(Arc::new(store), member)
    }

    #[cfg(test)]
    pub(crate) fn engine(&self) -> &Leases<S> {
        self.0.engine()
    }

    /// What it says of itself to the server.
    #[doc(hidden)]
    #[must_use]
    pub fn settings(&self) -> &Member {
        self.0.engine().member()
    }

    /// The server.
    #[must_use]
    pub fn store(&self) -> &S {
        self.0.engine().store()
    }

    /// Names of locks begin with this at the server; by default with `lockutils`. Spaces with
    /// different prefixes have different locks. It may be empty.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.changed(|member| member.prefix = prefix.into())
    }

    /// The lease: how long the server gives a lock for, and goes on doing so, since it is renewed. It is
    /// how long others wait for a lock whose holder was cut off or has died, and how long the holder may
    /// be. By default 15 seconds.
    ///
    /// # Panics
    ///
    /// If it is less than a second, or less or more than the server can give: `PostgreSQL` a second to 24 days,
    /// etcd two seconds to 100 years, Redis a second to 100 years. The text has the range.
    #[must_use]
    #[track_caller]
    pub fn ttl(self, ttl: Duration) -> Self {
        if let Err(wrong) = self.store().shape().check_lease(ttl) {
            panic!("{wrong}");
        }
        self.changed(|member| member.lease = ttl)
    }

    /// How long the server may be silent, before that is an error of the kind
    /// [`Unavailable`](lockutils::ErrorKind::Unavailable). By default 5 seconds; [`Duration::MAX`] is for ever.
    ///
    /// # Panics
    ///
    /// If it is less than a millisecond, in which no server answers.
    #[must_use]
    #[track_caller]
    pub fn answer_timeout(self, timeout: Duration) -> Self {
        assert!(
            timeout >= SHORTEST_SILENCE,
            "an answer timeout of {timeout:?} is too short; it is {SHORTEST_SILENCE:?} at least"
        );
        self.changed(|member| member.answer_timeout = timeout)
    }

    /// The locks are held for another command, which is what texts are to name: for programs that
    /// hold a lock while they run one.
    #[doc(hidden)]
    #[must_use]
    pub fn command(self, command: impl Into<String>) -> Self {
        self.changed(|member| {
            member.command = command.into();
            member.is_for_another = true;
        })
    }

    /// What texts call the space: the server without user and password, and the prefix.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Names one lock of the space, for its methods to take.
    ///
    /// `key` is a value or a reference. Nothing is locked yet.
    pub fn key<K: LockKey>(&self, key: K) -> Handle<'_, K, Self> {
        Handle::new(self, key)
    }

    /// Names several locks of the space, to be taken together.
    ///
    /// `keys` is anything that `for` takes. They are taken in one order, so two callers can't
    /// each hold what the other waits for; one that is there twice is taken once. An empty list
    /// holds nothing and succeeds.
    pub fn keys<I>(&self, keys: I) -> KeysHandle<'_, Self>
    where
        I: IntoIterator,
        I::Item: LockKey,
    {
        KeysHandle::new(self, keys)
    }

    /// Tells who holds what at the server, of this prefix. Blocks the thread until it has answered.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](lockutils::ErrorKind::Unavailable).
    pub fn states(&self) -> Result<Vec<LockState>, Error> {
        signal::block_on(self.states_async())
    }

    /// The same for a task.
    ///
    /// # Errors
    ///
    /// As [`Remote::states`].
    pub async fn states_async(&self) -> Result<Vec<LockState>, Error> {
        let result = match self.0.engine().look(Look::All) {
            Ok(looking) => looking.await,
            Err(refusal) => Err(refusal),
        };
        let holders = result.map_err(|refusal| refusal.of_space(self.name()))?;
        Ok(states(self.name(), &holders))
    }

    /// Waits until all is released that was dropped, and ends the connection if nobody has a lock any
    /// more, nor waits for one. Whoever asks later has another one made.
    ///
    /// A program that ends without it leaves what it has just dropped to the end of the lease, if
    /// the server wasn't told yet.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](lockutils::ErrorKind::Unavailable) if the time is over before.
    pub fn close(&self, timeout: Duration) -> Result<(), Error> {
        let Some(closed) = self.0.engine().close() else {
            return Ok(());
        };
        let result = match Instant::now().checked_add(timeout) {
            Some(_) => closed.recv_timeout(timeout),
            None => closed.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match result {
            // What is told is that there is nothing to be told any more.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Ok(()),
            Err(RecvTimeoutError::Timeout) => Err(Refusal::unavailable(format!(
                "its server has not answered to all releases within {timeout:?}; what is left is \
                 released with its lease"
            ))
            .of_space(self.name())),
        }
    }

    /// Tells who holds the lock of a key, if somebody does: for whoever may give up before the server has answered, and
    /// to find one of which the server doesn't know the key.
    #[doc(hidden)]
    pub async fn state_async(&self, key: impl LockKey) -> Result<Option<LockState>, Error> {
        let key = Key::new(key);
        let mut state = states(self.name(), &self.holders(&key).await?).pop();
        if let Some(state) = &mut state {
            state.key = key;
        }
        Ok(state)
    }

    /// Who holds the lock of a key.
    async fn holders(&self, key: &Key) -> Result<Vec<Taken>, Error> {
        let engine = self.0.engine();
        let name = engine.locate(key);
        let looking = name.and_then(|name| engine.look(Look::Name(name.as_str().to_owned())));
        let result = match looking {
            Ok(looking) => looking.await,
            Err(refusal) => Err(refusal),
        };
        result.map_err(|refusal| refusal.of_lock(self.name(), key.clone()))
    }
}

impl<S: FromUrl> Remote<S> {
    /// The locks of the server that a URL names. Connects when it is used first.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`](lockutils::ErrorKind::InvalidUrl), with the part that is wrong.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self::of(S::from_url(url).map_err(Refusal::of_no_space)?))
    }
}

impl<S: Store> Space for Remote<S> {
    type Machine = Outside<Leases<S>>;

    fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<Self::Machine> {
        self.0.wait(key, mode, site)
    }

    fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<Self::Machine> {
        self.0.wait_all(keys, mode, site)
    }
}

impl<S: Store> Inspect for Remote<S> {
    fn is_locked(&self, key: &Key) -> Result<bool, Error> {
        Ok(!signal::block_on(self.holders(key))?.is_empty())
    }

    fn holder(&self, key: &Key) -> Result<Option<Holder>, Error> {
        Ok(signal::block_on(self.holders(key))?.first().map(holder))
    }
}

impl<S: Store> Clone for Remote<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Store> fmt::Debug for Remote<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = self.0.engine();
        f.debug_struct("Remote")
            .field("server", &engine.store().name())
            .field("prefix", &engine.member().prefix)
            .field("ttl", &engine.member().lease)
            .field("answer_timeout", &engine.member().answer_timeout)
            .finish()
    }
}

/// The locks that holders have, in the order of their names.
fn states(space: &'static str, holders: &[Taken]) -> Vec<LockState> {
    let mut holders: Vec<&Taken> = holders.iter().collect();
    holders.sort_by_key(|taken| &taken.name);
    let of_locks = holders.chunk_by(|one, other| one.name == other.name);
    let state = |taken: &[&Taken]| {
        let key = taken[0].key.as_ref().unwrap_or(&taken[0].name);
        let holders = taken.iter().map(|taken| holder(taken)).collect();
        let mut state = LockState::new(space, Key::new(key), holders);
        state.waiters = taken.iter().map(|taken| taken.waiting).max().unwrap_or(0);
        state
    };
    of_locks.map(state).collect()
}

/// The name of this host.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname");
    let name = name.ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map_or_else(|| "-".to_owned(), |name| name.trim().to_owned())
}

/// What this process was started as.
fn command() -> String {
    let name = fs::read_to_string("/proc/self/comm").ok();
    let name = name.or_else(|| {
        let program = std::env::current_exe().ok()?;
        Some(program.file_name()?.to_string_lossy().into_owned())
    });
    name.map_or_else(|| "-".to_owned(), |name| name.trim().to_owned())
}

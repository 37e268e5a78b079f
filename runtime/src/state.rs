//! A lock, as who looks at it sees it.

use crate::holder::Holder;
use crate::key::Key;
use crate::lasted::Lasted;
use crate::name::LockName;
use std::fmt;
use std::time::Duration;

/// A lock that was held or awaited when [`snapshot`](crate::snapshot()) looked.
///
/// [`Display`](fmt::Display) gives a line:
/// `"cells/2f1c": held by connect (src/cells.rs:41) in thread "worker-3"; 2 wait, the first for
/// 1.5s`. Of many holders it names three.
///
/// # Examples
///
/// ```
/// let _guard = lockutils::lock("state");
/// for lock in lockutils::snapshot() {
///     println!("{lock}");
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LockState {
    /// The name of the lock space.
    pub space: &'static str,
    /// The key.
    pub key: Key,
    /// Who has it; nobody while it is on its way from one to the next.
    pub holders: Vec<Holder>,
    /// How many threads and tasks wait for it. Of a lock file, those of other processes are among
    /// them, see [`FileLocks::states`](crate::FileLocks::states).
    pub waiters: usize,
    /// Those who wait in this process, in the order of the queue: the first 100 of them. The rest of
    /// [`waiters`](Self::waiters) is left off. Who has been handed the lock is among the
    /// holders, see [`Holder::not_polled_for`].
    pub queue: Vec<Waiter>,
    /// The ids of the processes whose threads and tasks wait for a lock file, each once, as far as
    /// they are known; none for an in-process lock.
    pub waiter_pids: Vec<u32>,
    /// How long the first of them has waited, of those of this process.
    pub longest_wait: Option<Duration>,
    /// How long they have waited, all of them together.
    pub(crate) waited: Duration,
    /// Whether it is part of a suspected deadlock that has been reported and still lasts, see
    /// [`set_deadlock_hook`](crate::set_deadlock_hook).
    pub suspected_deadlock: bool,
}

/// How many waiters a [`LockState`] names.
pub(crate) const QUEUE: usize = 100;

/// A thread or task that waits for a lock.
///
/// # Examples
///
/// ```
/// use lockutils::{Locks, snapshot};
/// use std::pin::pin;
/// use std::task::{Context, Waker};
///
/// static CELLS: Locks = Locks::new("cells");
///
/// let _guard = CELLS.key("2f1c").lock();
/// let mut refresh = pin!(CELLS.key("2f1c").shared().lock_async());
/// assert!(refresh.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
///
/// let locks = snapshot();
/// let lock = locks.iter().find(|lock| lock.space == "cells").unwrap();
/// for waiter in &lock.queue {
///     assert!(waiter.shared());
///     println!("{} waits for {:?}", waiter.who(), waiter.waited());
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Waiter {
    pub(crate) who: Holder,
    pub(crate) shared: bool,
    pub(crate) waited: Duration,
    pub(crate) left: Option<Duration>,
}

impl Waiter {
    /// Who it is, and where in the code it waits. It has no lock yet, so
    /// [`Holder::held_for`] is `None`; [`Holder::not_polled_for`] says whether it has been called to
    /// take the lock, and doesn't.
    #[must_use]
    pub const fn who(&self) -> &Holder {
        &self.who
    }

    /// Whether it is to have the lock together with others.
    #[must_use]
    pub const fn shared(&self) -> bool {
        self.shared
    }

    /// How long it has waited.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// How much of its time was left, if it waits for so long and no longer: then it gives up.
    #[must_use]
    pub const fn gives_up_in(&self) -> Option<Duration> {
        self.left
    }
}

impl LockState {
    /// A lock that is held, and that nobody waits for, for a lock engine to show its locks; what else
    /// it knows it sets.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::{Holder, Key, LockState};
    ///
    /// let mut state = LockState::new("billing", Key::new("invoice-7"), vec![Holder::of_process(4711)]);
    /// state.waiters = 2;
    /// assert_eq!(state.to_string(), "\"billing/invoice-7\": held by process 4711; 2 wait");
    /// ```
    #[must_use]
    pub const fn new(space: &'static str, key: Key, holders: Vec<Holder>) -> Self {
        Self {
            space,
            key,
            holders,
            waiters: 0,
            queue: Vec::new(),
            waiter_pids: Vec::new(),
            longest_wait: None,
            waited: Duration::ZERO,
            suspected_deadlock: false,
        }
    }
}

/// How many holders [`LockState`]'s line names.
const NAMED: usize = 3;

impl fmt::Display for LockState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            space,
            key,
            holders,
            waiters,
            ..
        } = self;
        write!(f, "{}: ", LockName { space, key })?;
        for (index, holder) in holders.iter().take(NAMED).enumerate() {
            match (index, holder.not_polled_for()) {
                (0, _) => write!(f, "{}", holder.has())?,
                (_, None) => write!(f, ", {holder}")?,
                (_, Some(_)) => write!(f, ", {}", holder.has())?,
            }
        }
        match holders.len() {
            0 => write!(f, "on its way to the next")?,
            count if count > NAMED => write!(f, " and {} more", count - NAMED)?,
            _ => {}
        }
        match waiters {
            0 => {}
            1 => write!(f, "; 1 waits")?,
            _ => write!(f, "; {waiters} wait")?,
        }
        match self.longest_wait {
            Some(wait) if *waiters == 1 => write!(f, ", for {}", Lasted(wait))?,
            Some(wait) => write!(f, ", the first for {}", Lasted(wait))?,
            None => {}
        }
        if self.suspected_deadlock {
            write!(f, "; suspected deadlock")?;
        }
        Ok(())
    }
}

//! A lock, as who looks at it sees it.

use crate::holder::Holder;
use crate::key::Key;
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
    /// The ids of the processes whose threads and tasks wait for a lock file, each once, as far as
    /// they are known; none for an in-process lock.
    pub waiter_pids: Vec<u32>,
    /// How long the first of them has waited, of those of this process.
    pub longest_wait: Option<Duration>,
    /// Whether it is part of a suspected deadlock that has been reported and still lasts, see
    /// [`set_deadlock_hook`](crate::set_deadlock_hook).
    pub suspected_deadlock: bool,
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
            waiter_pids: Vec::new(),
            longest_wait: None,
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
            let before = if index == 0 { "held by" } else { "," };
            write!(f, "{before} {holder}")?;
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
            Some(wait) if *waiters == 1 => write!(f, ", for {wait:.1?}")?,
            Some(wait) => write!(f, ", the first for {wait:.1?}")?,
            None => {}
        }
        if self.suspected_deadlock {
            write!(f, "; suspected deadlock")?;
        }
        Ok(())
    }
}

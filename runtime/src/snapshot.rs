//! Who holds what, right now.

use crate::key::Key;
use crate::site::Holder;
use std::time::Duration;

/// A lock that was held or awaited when [`snapshot`] looked.
///
/// # Examples
///
/// ```
/// let _guard = lockutils::lock("state");
/// for lock in lockutils::snapshot() {
///     println!("{}/{}: {} holders, {} wait", lock.space, lock.key, lock.holders.len(), lock.waiters);
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
    /// How many threads and tasks wait for it.
    pub waiters: usize,
    /// How long the first of them has waited.
    pub longest_wait: Option<Duration>,
    /// Whether it is part of a suspected deadlock that has been reported and still lasts, see
    /// [`set_deadlock_hook`](crate::set_deadlock_hook).
    pub suspected_deadlock: bool,
}

/// Every lock that is held or awaited in this process, in no particular order. Of files, see
/// [`FileLocks::states`](crate::FileLocks::states) for those of other processes.
///
/// The process goes on while this looks, a part of the locks at a time, so two
/// lines need not have been true at one moment; each line was.
///
/// # Examples
///
/// ```
/// let _guard = lockutils::lock("snapshot");
/// let states = lockutils::snapshot();
/// assert!(states.iter().any(|lock| lock.key.as_str() == "snapshot"));
/// ```
#[must_use]
pub fn snapshot() -> Vec<LockState> {
    crate::local::states(|_| true)
}

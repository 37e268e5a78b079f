//! Who holds what, right now.

use crate::graph;
use crate::outside::all_asking;
use crate::state::{LockState, QUEUE};
use crate::table::looks::{self, Seen};

/// Every lock that is held or awaited in this process, those first that most wait for. Of files, see
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
    Snapshot::take(usize::MAX, QUEUE).locks
}

/// What is known of all locks, as far as there is room for it.
pub(crate) struct Snapshot {
    /// Those first that most wait for.
    pub(crate) locks: Vec<LockState>,
    /// How many locks there was no room for.
    #[cfg_attr(
        not(feature = "inspect"),
        expect(dead_code, reason = "there is room for all")
    )]
    pub(crate) left_off: usize,
    /// How many threads and tasks wait.
    #[cfg_attr(
        not(feature = "inspect"),
        expect(dead_code, reason = "users see it at each lock")
    )]
    pub(crate) waiters: usize,
}

impl Snapshot {
    /// Looks at all locks, and keeps so many of them, with so many of their waiters.
    pub(crate) fn take(most: usize, queue: usize) -> Self {
        let asking = all_asking();
        let since = |hash, ticket| Some(asking.get(&(hash, ticket))?.times);
        let Seen {
            locks,
            left_off,
            waiters,
        } = looks::states((most, queue), &graph::suspected(), &since);
        let locks = locks.into_iter().map(|(mut state, asked)| {
            // Who asks outside of the process has the lock of the line, and not that which it asks for.
            if let Some(asking) = asked.and_then(|hold| asking.get(&hold)) {
                state.holders.extend(asking.lock.holder());
            }
            state
        });
        Self {
            locks: locks.collect(),
            left_off,
            waiters,
        }
    }
}

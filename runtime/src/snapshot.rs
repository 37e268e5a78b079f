//! Who holds what, right now.

use crate::graph;
use crate::state::LockState;
use crate::table::looks;

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
    looks::states(&graph::suspected())
}

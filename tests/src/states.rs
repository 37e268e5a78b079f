//! What a lock space looks like from outside.

use lockutils::{LockState, Locks, Waiter};
use std::fs;

/// The held and awaited locks of a space, by key. No other space may have its name.
#[must_use]
pub fn states(locks: &Locks) -> Vec<LockState> {
    let mut states = lockutils::snapshot();
    states.retain(|lock| lock.space == locks.name());
    states.sort_by(|a, b| a.key.cmp(&b.key));
    states
}

/// How many wait for the locks of a space whose name no other has.
#[must_use]
pub fn waiters(locks: &Locks) -> usize {
    states(locks).iter().map(|lock| lock.waiters).sum()
}

/// How many wait for the locks of a space whose name no other has, and are known to the search for
/// deadlocks. A thread joins the queue first, then the graph of waits, and goes to sleep last.
#[must_use]
pub fn settled_waiters(space: &str) -> usize {
    let states = lockutils::snapshot();
    let states = states.iter().filter(|lock| lock.space == space);
    let waiters = states.flat_map(|lock| &lock.queue);
    waiters.filter(|waiter| !is_running(waiter)).count()
}

/// Of a task, and where the system doesn't say it, no.
fn is_running(waiter: &Waiter) -> bool {
    let Some(thread) = waiter.who().os_thread() else {
        return false;
    };
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap_or_default();
    // The name comes before it, and may have any character.
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('S'))
}

//! What a lock space looks like from outside.

use lockutils::{LockState, Locks};

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

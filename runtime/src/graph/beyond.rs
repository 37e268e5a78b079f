//! Suspected deadlocks that go beyond this process, as who looks there has found them.
//!
//! Somebody holds one lock, and somebody, who need not be the same, waits outside of the process for
//! another one, whose holder waits for the first.

use crate::deadlock::Deadlock;
use crate::ordered::OrderedSet;
use crate::process::OfProcess;
use crate::sync::ambient::Mutex;
use crate::table::place::{EntryId, Place, Ticket};

static FOUND: OfProcess<Mutex<Vec<Beyond>>> = OfProcess::new();

/// One that was reported and still lasts.
pub(crate) struct Beyond {
    /// What who found it calls it.
    #[cfg(feature = "file")]
    pub(crate) number: u64,
    pub(crate) hold: Place,
    /// Of who waits outside: its place in the line for the lock.
    pub(crate) wait: Place,
    pub(crate) deadlock: Deadlock,
}

#[cfg(feature = "file")]
impl Beyond {
    /// Remembers it for those who look, in place of the one of the same number.
    pub(crate) fn set(self) {
        let mut found = FOUND.get().lock();
        found.retain(|other| other.number != self.number);
        found.push(self);
    }
}

/// It has dissolved.
#[cfg(feature = "file")]
pub(crate) fn end_beyond(number: u64) {
    FOUND.get().lock().retain(|found| found.number != number);
}

/// The one of who waits outside, by the hold of the line.
pub(crate) fn beyond((hash, ticket): (u64, Ticket)) -> Option<Deadlock> {
    let found = FOUND.get().lock();
    let is_its = |found: &&Beyond| found.wait.entry.hash == hash && found.wait.ticket == ticket;
    Some(found.iter().find(is_its)?.deadlock.clone())
}

/// The locks that are part of one.
pub(super) fn locks() -> OrderedSet<EntryId> {
    let found = FOUND.get().lock();
    let mut locks = OrderedSet::new();
    for Beyond { hold, wait, .. } in found.iter() {
        locks.extend([hold.entry, wait.entry]);
    }
    locks
}

//! Suspicions: what may be a deadlock, and may also dissolve.
//!
//! A cycle with a task in it is *pending* until it has lasted for [`SUSPICION`], when the
//! [`watch`](super::watch) looks at it again. What was *reported*, cycles and blocks, is remembered
//! for as long as it lasts, so that it is reported once, and shown with the locks that it is about.
//! A block is that a task has a lock which a thread waits for, see [`Waiting::look`].
//!
//! [`Waiting::look`]: super::Waiting::look

use crate::ordered::{OrderedMap, OrderedSet};
use crate::owner::Owner;
use crate::process::OfProcess;
use crate::table::place::{EntryId, Place};
use crate::table::waits::{Cycle, Step, Waits};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a suspicion must last to be reported.
pub(super) const SUSPICION: Duration = Duration::from_secs(1);

/// The suspicions of the process, and what was reported of them.
pub(super) struct Suspicions {
    /// Cycles to be looked at again, in the order in which they are due.
    pub(super) pending: OrderedMap<u64, Suspicion>,
    added: u64,
    /// Whether there is a thread that does it. It changes under the graph's mutex, so all of it
    /// is relaxed.
    pub(super) watched: OfProcess<AtomicBool>,
    /// Cycles that were reported and still last.
    pub(super) reported: Vec<Cycle>,
    /// What threads that block were reported to wait for, where that still lasts.
    pub(super) blocks: Vec<Step>,
}

/// A cycle that may be a deadlock, found by a wait.
pub(super) struct Suspicion {
    pub(super) owner: Owner,
    pub(super) place: Place,
    pub(super) cycle: Cycle,
    pub(super) since: Instant,
}

impl Suspicions {
    pub(super) const fn new() -> Self {
        Self {
            pending: OrderedMap::new(),
            added: 0,
            watched: OfProcess::new(),
            reported: Vec::new(),
            blocks: Vec::new(),
        }
    }

    #[cfg(all(test, loom))]
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.reported.is_empty() && self.blocks.is_empty()
    }

    /// Adds a cycle, to be looked at again when it is due. Gives its number.
    pub(super) fn add(&mut self, owner: Owner, place: Place, cycle: Cycle) -> u64 {
        let number = self.added;
        self.added += 1;
        let suspicion = Suspicion {
            owner,
            place,
            cycle,
            since: Instant::now(),
        };
        self.pending.insert(number, suspicion);
        number
    }

    /// A wait has ended, and with it the suspicions that it was part of.
    pub(super) fn end(&mut self, wait: Place, pending: Option<u64>) {
        if let Some(number) = pending {
            self.pending.remove(&number);
        }
        let waits_there = |cycle: &Cycle| cycle.0.iter().any(|step| step.wait == wait);
        self.reported.retain(|cycle| !waits_there(cycle));
        self.blocks.retain(Step::lasts);
    }

    /// Whether a thread is missing that looks at them; then the caller has to
    /// [start](super::watch::leave) it. Where none can be started, the next waiter tries again.
    pub(super) fn claim_watch(&mut self) -> bool {
        !self.pending.is_empty() && !self.watched.get().swap(true, Ordering::Relaxed)
    }

    /// There is none any more.
    pub(super) fn end_watch(&self) {
        self.watched.get().store(false, Ordering::Relaxed);
    }

    pub(super) fn is_reported(&self, cycle: &Cycle) -> bool {
        self.reported.iter().any(|other| other.is_same(cycle))
    }

    /// Remembers what a thread that blocks is reported to wait for; false if its lock is
    /// part of a report that still lasts.
    pub(super) fn add_block(&mut self, block: &Step) -> bool {
        self.blocks.retain(Step::lasts);
        let is_its = |step: &Step| step.hold.entry == block.hold.entry;
        let mut cycles = self.reported.iter();
        let is_new =
            !cycles.any(|Cycle(steps)| steps.iter().any(is_its)) && !self.blocks.iter().any(is_its);
        if is_new {
            self.blocks.push(block.clone());
        }
        is_new
    }

    /// The locks that are part of what was reported and still lasts.
    pub(super) fn locks(&mut self, waits: &Waits) -> OrderedSet<EntryId> {
        self.blocks.retain(Step::lasts);
        let mut awaited = OrderedSet::new();
        if !self.blocks.is_empty() {
            let threads = waits.by_owner.keys().filter(|(owner, _)| owner.is_thread());
            awaited.extend(threads.map(|(_, place)| place.entry));
        }
        let mut locks = OrderedSet::new();
        for block in &self.blocks {
            if awaited.contains_key(&block.hold.entry) {
                locks.add(block.hold.entry);
            }
        }
        for Cycle(steps) in &self.reported {
            locks.extend(steps.iter().map(|step| step.hold.entry));
        }
        locks
    }
}

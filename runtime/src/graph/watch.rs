//! Suspicions: what may be a deadlock, and may also dissolve.
//!
//! A cycle with a task in it is looked at again when it has lasted for a second, by a thread
//! that there is only while there are such; if nobody in it has moved, it is reported. That
//! a thread blocks for a second while a task has the lock, that thread finds out itself.
//! What was reported is remembered for as long as it lasts, so that it is reported once.

use super::{ANYBODY, GRAPH, Graph, SUSPICION, find_block};
use crate::deadlock::report;
use crate::owner::Owner;
use crate::process::OfProcess;
use crate::table::place::{EntryId, Place};
use crate::table::waits::{Cycle, Step, Waits};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

pub(super) struct Suspicions {
    /// Cycles to be looked at again, in the order in which they are due.
    pending: BTreeMap<u64, Suspicion>,
    added: u64,
    /// Whether there is a thread that does it. It changes under the graph's mutex, so all of it
    /// is relaxed.
    watched: OfProcess<AtomicBool>,
    /// Cycles that were reported and still last.
    reported: Vec<Cycle>,
    /// What threads that block were reported to wait for, where that still lasts.
    blocks: Vec<Step>,
}

struct Suspicion {
    owner: Owner,
    place: Place,
    cycle: Cycle,
    since: Instant,
}

impl Suspicions {
    pub(super) const fn new() -> Self {
        Self {
            pending: BTreeMap::new(),
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

    /// Has a cycle looked at again when it is due. Gives its number.
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

    /// Whether a thread is missing that looks at them; then the caller has to [`start`] it.
    /// Without a thread to be had, whoever waits next tries again.
    pub(super) fn claim_watch(&mut self) -> bool {
        !self.pending.is_empty() && !self.watched.get().swap(true, Ordering::Relaxed)
    }

    /// There is none any more.
    fn end_watch(&self) {
        self.watched.get().store(false, Ordering::Relaxed);
    }

    fn is_reported(&self, cycle: &Cycle) -> bool {
        self.reported.iter().any(|other| other.is_same(cycle))
    }

    /// Remembers what a thread that blocks is reported to wait for; false if its lock is
    /// part of a report that still lasts.
    fn add_block(&mut self, block: &Step) -> bool {
        self.blocks.retain(Step::lasts);
        let cycles = self.reported.iter().flat_map(|cycle| &cycle.0);
        let mut known = cycles.chain(&self.blocks);
        let is_new = known.all(|step| step.hold.entry != block.hold.entry);
        if is_new {
            self.blocks.push(block.clone());
        }
        is_new
    }

    /// The locks that are part of what was reported and still lasts.
    pub(super) fn locks(&mut self, waits: &Waits) -> BTreeSet<EntryId> {
        self.blocks.retain(Step::lasts);
        let threads = waits.by_owner.keys().filter(|(owner, _)| owner.is_thread());
        let awaited: BTreeSet<_> = if self.blocks.is_empty() {
            BTreeSet::new()
        } else {
            threads.map(|(_, place)| place.entry).collect()
        };
        let blocks = self.blocks.iter().map(|block| block.hold.entry);
        let cycles = self.reported.iter().flat_map(|cycle| &cycle.0);
        blocks
            .filter(|entry| awaited.contains(entry))
            .chain(cycles.map(|step| step.hold.entry))
            .collect()
    }
}

/// Reports that a task has kept a thread from a lock for a second, once for each lock.
pub(super) fn report_block(owner: Owner, place: Place) {
    let mut graph = GRAPH.lock();
    if let Some(cycle) = graph.search(owner, place, ANYBODY) {
        // That is reported instead, as soon as it has lasted for a second.
        let wait = graph.waits.get(owner, place);
        let is_pending = wait.is_none_or(|wait| wait.suspicion.is_some());
        if !is_pending && !graph.suspicions.is_reported(&cycle) {
            graph.suspect(owner, place, cycle);
        }
        let starts_watch = graph.suspicions.claim_watch();
        drop(graph);
        if starts_watch {
            start();
        }
        return;
    }
    let Some(block) = find_block(place) else {
        return;
    };
    if !graph.suspicions.add_block(&block) {
        return;
    }
    drop(graph);
    // On a thread of its own: the hook may well need what this one has.
    let deadlock = block.describe_block();
    let thread = thread::Builder::new().name("lockutils-report".to_owned());
    if thread.spawn(move || report(&deadlock)).is_err() {
        // The next look tries again.
        let blocks = &mut GRAPH.lock().suspicions.blocks;
        blocks.retain(|other| other.hold != block.hold);
    }
}

/// Starts the thread that was found missing.
pub(super) fn start() {
    if cfg!(all(test, loom)) {
        return; // No second goes by in a model.
    }
    let thread = thread::Builder::new().name("lockutils-watch".to_owned());
    if thread.spawn(run).is_err() {
        GRAPH.lock().suspicions.end_watch();
    }
}

/// Lets another thread be started if this one ends by a panic.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        if thread::panicking() {
            GRAPH.lock().suspicions.end_watch();
        }
    }
}

fn run() {
    let _running = Running;
    loop {
        let mut graph = GRAPH.lock();
        let Some(first) = graph.suspicions.pending.first_entry() else {
            graph.suspicions.end_watch();
            return;
        };
        let due = first.get().since + SUSPICION;
        let early = due.saturating_duration_since(Instant::now());
        if early.is_zero() {
            let suspicion = first.remove();
            let reported = graph.look_again(suspicion);
            drop(graph);
            if let Some(cycle) = reported {
                report(&cycle.describe());
            }
        } else {
            drop(graph);
            thread::sleep(early);
        }
    }
}

impl Graph {
    /// Looks at a suspicion that is due. Gives what is to be reported.
    fn look_again(&mut self, suspicion: Suspicion) -> Option<Cycle> {
        let Suspicion {
            owner,
            place,
            cycle,
            ..
        } = suspicion;
        if let Some(wait) = self.waits.get_mut(owner, place) {
            wait.suspicion = None;
        }
        let now = self.search(owner, place, ANYBODY)?;
        if !now.is_same(&cycle) {
            self.suspect(owner, place, now);
            return None;
        }
        if self.suspicions.is_reported(&now) {
            return None;
        }
        self.suspicions.reported.push(now.clone());
        Some(now)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn watch_that_ends_by_a_panic_can_be_started_again() {
        let set = |to| {
            let watched = &GRAPH.lock().suspicions.watched;
            watched.get().swap(to, Ordering::Relaxed)
        };
        set(true);
        let watch = thread::spawn(|| {
            let _running = Running;
            panic!("whatever it is that can't be");
        });
        assert!(watch.join().is_err());
        assert!(!set(false));
    }
}

//! The graph itself, and what is done about a cycle in it.
//!
//! A waiter that enters looks for cycles through its own wait. In a cycle of threads one of them is
//! told to give up; a cycle with a task in it becomes a suspicion. Both are written to the wait that is
//! to act, under the graph's one mutex; see the [parent](super) for why that is exact.

use super::search::{ANYBODY, Of, SURE_THREADS, Search, THREADS};
use super::suspicions::Suspicions;
use crate::ordered::OrderedSet;
use crate::owner::Owner;
use crate::sync::{Mutex, statics};
use crate::table;
use crate::table::crowd::WaitingHolder;
#[cfg(all(test, not(loom)))]
use crate::table::entry::Entry;
use crate::table::entry::InTheWay;
use crate::table::place::{EntryId, Place};
use crate::table::waits::{Cycle, Waits, count_step};

/// At so many other waits of a task that has got a lock is looked.
const MOST_OTHERS: usize = 16;

/// Of so many waits of holders it is told, for the order of locks, when somebody begins to wait for them.
const MOST_NESTED: usize = 16;

statics! {
    pub(super) static GRAPH: Mutex<Graph> = Mutex::new(Graph::new());
}

/// All waiters of the process. The mutex of a shard may be locked while this one is,
/// not the other way round.
pub(super) struct Graph {
    pub(super) waits: Waits,
    pub(super) suspicions: Suspicions,
}

/// Whom a waiter finds before it.
#[derive(Default)]
pub(super) struct Ahead {
    /// The holders who wait themselves.
    waiting_holders: Vec<WaitingHolder>,
    /// Whether somebody is in the way who may wait for this waiter. If nobody is, which is nearly always
    /// so, its wait is in no cycle.
    pub(super) may_never_end: bool,
}

/// The locks that are part of a suspicion of this process which was reported and still lasts.
pub(super) fn suspected() -> OrderedSet<EntryId> {
    let mut graph = GRAPH.lock();
    let Graph { waits, suspicions } = &mut *graph;
    suspicions.locks(waits)
}

/// Whether nobody waits, and nothing is left of those who did.
#[cfg(all(test, loom))]
pub(crate) fn is_empty() -> bool {
    let graph = GRAPH.lock();
    let Waits {
        by_owner, by_age, ..
    } = &graph.waits;
    by_owner.is_empty() && by_age.is_empty() && graph.suspicions.is_empty()
}

/// Whether there is a suspicion that isn't reported.
#[cfg(all(test, loom))]
pub(crate) fn is_suspicious() -> bool {
    !GRAPH.lock().suspicions.pending.is_empty()
}

/// A cycle of such waits of which nobody is suspected who is stuck by it. Not one by somebody who isn't called yet: it
/// is to be found by the time that one has the lock.
#[cfg(all(test, not(loom)))]
pub(super) fn overlooked(of: impl Fn(Place) -> bool) -> Option<Cycle> {
    let graph = GRAPH.lock();
    let reported = &graph.suspicions.reported;
    let is_suspected = |(owner, place): (Owner, Place)| {
        let wait = graph.waits.get(owner, place);
        let mut reported = reported.iter().flat_map(|cycle| &cycle.0);
        wait.is_none_or(|wait| wait.suspicion.is_some()) || reported.any(|step| step.wait == place)
    };
    let waits = graph.waits.by_owner.keys();
    let mut cycles = waits.filter_map(|(owner, place)| {
        let stuck = Search::new(&graph.waits, ANYBODY).run(*owner, *place)?;
        let cycle = stuck.find_cycle()?;
        let is_known = stuck.waits().into_iter().any(is_suspected);
        let is_called = |hold: Place| {
            let look = |entry: &mut Entry| {
                entry.holder_count() == 0 || entry.is_queued(hold.ticket).is_none()
            };
            table::look(hold.entry, look).is_some_and(|is_called| is_called)
        };
        let mut steps = cycle.0.iter();
        let counts = steps.all(|step| of(step.wait) && is_called(step.hold));
        (!is_known && counts).then_some(cycle)
    });
    cycles.next()
}

impl Graph {
    pub(super) const fn new() -> Self {
        Self {
            waits: Waits::new(),
            suspicions: Suspicions::new(),
        }
    }

    /// A cycle through what `me` waits for at `place`, among the waits that `of` lets in.
    #[inline(never)]
    pub(super) fn search(&self, me: Owner, place: Place, of: Of) -> Option<Cycle> {
        Search::new(&self.waits, of).run(me, place)?.find_cycle()
    }

    /// Looks at the lock that is waited for at `place`, at one moment.
    pub(super) fn look(&self, place: Place) -> Ahead {
        count_step();
        let ahead = table::look(place.entry, |entry| {
            let waiting_holders = entry.waiting_holders(&self.waits);
            let called = entry.called_before(place.ticket);
            let called =
                called.is_some_and(|(_, called)| self.waits.of(called.owner).nth(1).is_some());
            let may_never_end = called
                || match entry.wait(place.ticket, |_, _| true) {
                    Some((_, InTheWay::Holders)) => !waiting_holders.is_empty(),
                    Some((_, InTheWay::Waiter(..))) => true,
                    Some((_, InTheWay::Nothing)) | None => false,
                };
            Ahead {
                waiting_holders,
                may_never_end,
            }
        });
        ahead.unwrap_or_default()
    }

    /// Those who have the lock that is waited for at `place`, and wait for another one: by which hold,
    /// and where.
    pub(super) fn nested(&self, place: Place, ahead: Ahead) -> Vec<(Place, Place, Owner)> {
        let mut nested = Vec::new();
        for holder in ahead.waiting_holders {
            let (ticket, owner) = (holder.ticket, holder.record.owner);
            let hold = Place { ticket, ..place };
            let waits = self.waits.of(owner).take(MOST_NESTED - nested.len());
            nested.extend(waits.map(|(wait, _)| (hold, wait, owner)));
            if nested.len() == MOST_NESTED {
                break;
            }
        }
        nested
    }

    /// Looks for cycles through a wait that has just begun. Threads are told to give up
    /// theirs until no cycle among threads is left. Gives the places of those to be called.
    pub(super) fn judge(&mut self, me: Owner, place: Place, can_fail: bool) -> Vec<Place> {
        let mut told = Vec::new();
        // Without one of any kind there is none of a certain kind.
        if self.search(me, place, ANYBODY).is_none() {
            return told;
        }
        if me.is_thread() {
            let of = if can_fail { THREADS } else { SURE_THREADS };
            if let Some(own) = self.search(me, place, of) {
                self.tell(me, place, own);
                return told;
            }
            while let Some((owner, place, cycle)) = self.find_victim(me, place) {
                self.tell(owner, place, cycle);
                told.push(place);
            }
        }
        if let Some(cycle) = self.search(me, place, ANYBODY) {
            self.suspect(me, place, cycle);
        }
        told
    }

    /// Looks for cycles through the other waits of a task that has got a lock now: one of its branches has it,
    /// and may be what others wait for who are in the way of another branch. Of many waits it looks at some.
    pub(super) fn judge_others(&mut self, me: Owner) {
        let others = self
            .waits
            .of(me)
            .filter(|(_, wait)| wait.suspicion.is_none());
        let others: Vec<_> = others.map(|(place, _)| place).take(MOST_OTHERS).collect();
        for place in others {
            self.judge_task(me, place);
        }
    }

    /// The other waits of a task, or of many some.
    pub(super) fn others(&self, me: Owner, place: Place) -> Vec<Place> {
        // Mostly there is none of anybody.
        if me.is_thread() || self.waits.by_owner.len() == 1 {
            return Vec::new();
        }
        let waits = self.waits.of(me).map(|(other, _)| other);
        waits
            .filter(|other| *other != place)
            .take(MOST_OTHERS)
            .collect()
    }

    /// Looks for a cycle through a wait of a task that has tried again in vain, and has others. It may have been called
    /// since another one of its waits was handed the lock: so it has that one by now, though it may never poll its future.
    pub(super) fn judge_again(&mut self, me: Owner, place: Place) {
        if self.look(place).may_never_end {
            self.judge_task(me, place);
        }
    }

    fn judge_task(&mut self, me: Owner, place: Place) {
        if let Some(cycle) = self.search(me, place, ANYBODY) {
            self.suspect_new(me, place, cycle);
        }
    }

    /// A thread that can fail, and by that dissolve a cycle through this wait, with a cycle
    /// through its own.
    fn find_victim(&self, me: Owner, place: Place) -> Option<(Owner, Place, Cycle)> {
        let stuck = Search::new(&self.waits, THREADS).run(me, place)?;
        let cycle = stuck.find_cycle()?;
        let can_fail = |(owner, place): &(Owner, Place)| {
            let wait = self.waits.get(*owner, *place);
            wait.is_some_and(|wait| wait.can_fail)
        };
        // The nearest one in the cycle. Or else one that holds a permit of a lock of which another
        // holder is in the cycle.
        let steps = cycle.0.iter().rev();
        let (owner, place) = steps
            .map(|step| (step.waiter.owner, step.wait))
            .find(can_fail)
            .or_else(|| stuck.waits().into_iter().find(can_fail))?;
        let own = self.search(owner, place, THREADS);
        Some((owner, place, own.unwrap_or(cycle)))
    }

    /// Tells a thread to dissolve a deadlock, by an error or a panic. From now on it counts as one
    /// that runs.
    fn tell(&mut self, owner: Owner, place: Place, deadlock: Cycle) {
        if let Some(wait) = self.waits.get_mut(owner, place) {
            wait.told = true;
            wait.deadlock = Some(deadlock);
        }
    }

    /// Suspects a cycle, unless the wait is part of a suspicion already or the cycle was reported.
    pub(super) fn suspect_new(&mut self, owner: Owner, place: Place, cycle: Cycle) {
        let wait = self.waits.get(owner, place);
        let is_pending = wait.is_none_or(|wait| wait.suspicion.is_some());
        if !is_pending && !self.suspicions.is_reported(&cycle) {
            self.suspect(owner, place, cycle);
        }
    }

    pub(super) fn suspect(&mut self, owner: Owner, place: Place, cycle: Cycle) {
        if let Some(wait) = self.waits.get_mut(owner, place) {
            wait.suspicion = Some(self.suspicions.add(owner, place, cycle));
        }
    }
}

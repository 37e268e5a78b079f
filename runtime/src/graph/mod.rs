//! Deadlock detection: who waits for whom, looked at when somebody is about to wait.
//!
//! Every waiter is in one graph, under one mutex, while it is in a queue. Who joins a
//! queue enters the graph and looks for a cycle through itself, in one go: so of those
//! who close a cycle together exactly the last to enter finds it. Only the slow path
//! pays for it.
//!
//! A cycle of threads is dissolved by one of them that can fail, by preference the one that
//! closed it; where that can't, another one is *told*, woken, and gives up its wait. Who is
//! told is left out of the graph from then on, since it runs. Only where nobody can fail does
//! the one that closed the cycle panic.
//!
//! Why this is exact between threads: a thread in the graph is inside a blocking call
//! from before the search starts, and it can't leave that before the search is over, since to
//! leave the graph it needs the mutex. As long as its ticket is in the queue it has not got
//! the lock. So it releases and takes nothing meanwhile, and what the search saw of it at
//! different moments was true at one. A guard that is sent on is no thread's any more.
//!
//! A task may hold a lock in one branch and wait in another, so a cycle with a task in
//! it is a suspicion, see [`watch`]. So is a thread that blocks for a second while a task has
//! the lock, since that may be what keeps the task from running: the thread itself looks
//! at that, each second, see [`Waiting::look`].

mod search;
#[cfg(all(test, not(loom)))]
mod tests;
mod watch;

use crate::deadlock::{Deadlock, Edge};
use crate::holder::Holder;
use crate::owner::Owner;
use crate::sync::{Instant, Mutex, statics};
use crate::table;
use crate::table::identity::name_of;
use crate::table::place::{EntryId, Place, Ticket};
use crate::table::waits::{Blocked, Cycle, Step, Waits};
use search::Search;
use std::collections::BTreeSet;
use std::time::Duration;
use watch::Suspicions;

/// How long a suspicion must last to be reported.
const SUSPICION: Duration = Duration::from_secs(1);

statics! {
    static GRAPH: Mutex<Graph> = Mutex::new(Graph {
        waits: Waits::new(),
        suspicions: Suspicions::new(),
    });
}

/// All waiters of the process. The mutex of a shard may be locked while this one is,
/// not the other way round.
struct Graph {
    waits: Waits,
    suspicions: Suspicions,
}

/// A waiter's registration. Made when it has joined the queue, dropped when it has
/// left.
#[derive(Debug)]
pub(crate) struct Waiting {
    owner: Owner,
    pub(crate) place: Place,
    can_fail: bool,
    /// The deadlock that this wait is to dissolve.
    deadlock: Option<Cycle>,
    /// Of a thread that blocks: what it saw of the queue.
    looked: Option<Look>,
}

/// What a thread that blocks saw of the queue that it is in.
#[derive(Clone, Copy, Debug)]
struct Look {
    first: Option<Ticket>,
    /// When to look again.
    next: Option<Instant>,
}

/// Which waits a search goes through.
type Of = fn(Owner, &Blocked) -> bool;

const ANYBODY: Of = |_, wait| !wait.told;
const THREADS: Of = |owner, wait| owner.is_thread() && !wait.told;
const SURE_THREADS: Of = |owner, wait| owner.is_thread() && !wait.can_fail && !wait.told;

/// The locks that are part of a suspicion which was reported and still lasts.
pub(crate) fn suspected() -> BTreeSet<EntryId> {
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

impl Graph {
    /// A cycle through what `me` waits for at `place`, among the waits that `of` lets in.
    fn search(&self, me: Owner, place: Place, of: Of) -> Option<Cycle> {
        Search::new(&self.waits, of).run(me, place)?.find_cycle()
    }

    /// Looks for cycles through a wait that has just begun. Threads are told to give up
    /// theirs until no cycle among threads is left. Gives the places of those to be called.
    fn judge(&mut self, me: Owner, place: Place, can_fail: bool) -> Vec<Place> {
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

    /// A thread that can fail, and by that dissolve a cycle through this wait, with a cycle
    /// through its own.
    fn find_victim(&self, me: Owner, place: Place) -> Option<(Owner, Place, Cycle)> {
        let stuck = Search::new(&self.waits, THREADS).run(me, place)?;
        let cycle = stuck.find_cycle()?;
        let can_fail = |(owner, place): &(Owner, Place)| {
            let wait = self.waits.get(*owner, *place);
            wait.is_some_and(|wait| wait.can_fail)
        };
        // The nearest to who waits for us. Or else it is one of those who hold permits of
        // which another holder is in the cycle.
        let steps = cycle.0.iter().rev();
        let (owner, place) = steps
            .map(|step| (step.waiter.owner, step.wait))
            .find(can_fail)
            .or_else(|| stuck.waits().find(can_fail))?;
        let own = self.search(owner, place, THREADS);
        Some((owner, place, own.unwrap_or(cycle)))
    }

    /// Has a thread dissolve a deadlock, by an error or a panic. From now on it counts as one
    /// that runs.
    fn tell(&mut self, owner: Owner, place: Place, deadlock: Cycle) {
        if let Some(wait) = self.waits.get_mut(owner, place) {
            wait.told = true;
            wait.deadlock = Some(deadlock);
        }
    }

    fn suspect(&mut self, owner: Owner, place: Place, cycle: Cycle) {
        if let Some(wait) = self.waits.get_mut(owner, place) {
            wait.suspicion = Some(self.suspicions.add(owner, place, cycle));
        }
    }
}

impl Waiting {
    /// Registers a waiter that has just joined a queue, and looks for a cycle.
    pub(crate) fn enter(owner: Owner, place: Place, can_fail: bool) -> Self {
        let mut graph = GRAPH.lock();
        graph.waits.insert(owner, place, can_fail);
        let told = graph.judge(owner, place, can_fail);
        let own = graph.waits.get_mut(owner, place);
        let deadlock = own.and_then(|wait| wait.deadlock.take());
        let starts_watch = graph.suspicions.claim_watch();
        drop(graph);
        told.into_iter().for_each(table::call);
        if starts_watch {
            watch::start();
        }
        Self {
            owner,
            place,
            can_fail,
            deadlock,
            looked: None,
        }
    }

    /// After another try that was in vain: registers a task under another name, if it has one;
    /// sees whether a thread has been told to give up.
    pub(crate) fn go_on(&mut self, owner: Owner) {
        if self.owner != owner {
            *self = Self::enter(owner, self.place, self.can_fail);
        } else if owner.is_thread() && self.can_fail {
            let mut graph = GRAPH.lock();
            let wait = graph.waits.get_mut(owner, self.place);
            if let Some(deadlock) = wait.and_then(|wait| wait.deadlock.take()) {
                self.deadlock = Some(deadlock);
            }
        }
    }

    /// The deadlock that this wait is to dissolve. Only threads are in it.
    pub(crate) fn take_deadlock(&mut self) -> Option<Deadlock> {
        Some(self.deadlock.take()?.describe())
    }

    /// Why this wait, which has lasted for so long, may never have ended.
    pub(crate) fn suspicion(&mut self, waited: Duration) -> Option<Deadlock> {
        let cycle = GRAPH.lock().search(self.owner, self.place, ANYBODY);
        if let Some(cycle) = cycle {
            return Some(cycle.describe());
        }
        let first = self.looked?.first;
        if waited < SUSPICION || self.first_waiter() != first {
            return None;
        }
        Some(find_block(self.place)?.describe_block())
    }

    /// Of a thread that is about to block: when it is to look again. Where a task keeps it
    /// from the lock, and nobody in the queue has moved for a second, that is reported.
    pub(crate) fn look(&mut self) -> Option<Instant> {
        if cfg!(all(test, loom)) {
            return None; // Seconds don't go by in a model.
        }
        let now = Instant::now();
        if let Some(looked) = self.looked.filter(|looked| looked.next > Some(now)) {
            return looked.next;
        }
        let first = self.first_waiter();
        if self.looked.is_some_and(|looked| looked.first == first) {
            watch::report_block(self.owner, self.place);
        }
        let next = now.checked_add(SUSPICION);
        self.looked = Some(Look { first, next });
        next
    }

    fn first_waiter(&self) -> Option<Ticket> {
        table::look(self.place.entry, |entry| entry.first_waiter())?
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut graph = GRAPH.lock();
        let Graph { waits, suspicions } = &mut *graph;
        if let Some(wait) = waits.remove(self.owner, self.place) {
            suspicions.end(self.place, wait.suspicion);
        }
    }
}

/// What a thread waits for, if a task keeps it from it.
fn find_block(wait: Place) -> Option<Step> {
    table::look(wait.entry, |entry| {
        let (ticket, holder) = entry.task_in_the_way(wait.ticket)?;
        Some(Step {
            wait,
            hold: Place { ticket, ..wait },
            waiter: entry.record_of(wait.ticket)?,
            space: entry.space,
            key: entry.key.clone(),
            holder,
        })
    })?
}

impl Step {
    fn describe(&self) -> Edge {
        Edge {
            waiter: Holder::from(self.waiter),
            space: name_of(self.space),
            key: self.key.clone(),
            holder: Holder::from(self.holder),
        }
    }

    fn describe_block(&self) -> Deadlock {
        Deadlock::block(self.describe())
    }

    /// Whether what is waited for is still there, and still theirs.
    fn lasts(&self) -> bool {
        let holder = table::look(self.hold.entry, |entry| entry.record_of(self.hold.ticket));
        holder.flatten() == Some(self.holder)
    }
}

impl Cycle {
    fn describe(&self) -> Deadlock {
        Deadlock::new(self.0.iter().map(Step::describe).collect())
    }

    /// Whether nobody has moved between the two, wherever they begin.
    fn is_same(&self, other: &Self) -> bool {
        let places = |cycle: &Self| -> BTreeSet<_> {
            cycle.0.iter().map(|step| (step.wait, step.hold)).collect()
        };
        places(self) == places(other)
    }
}

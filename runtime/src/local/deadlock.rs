//! Deadlock detection: who waits for whom, looked at when somebody is about to wait.
//!
//! Every waiter is in one graph, under one mutex, while it is in a queue. Who joins a
//! queue enters the graph and looks for a cycle through itself, in one go: so of those
//! who close a cycle together exactly the last to enter finds it. Only the slow path
//! pays for it.
//!
//! An owner is *stuck* if it waits for a lock all of whose room is with the stuck: one
//! stuck holder is enough, or all of them must be in a space with several permits. The
//! stuck are found by starting with everybody who can be reached, and leaving out who
//! isn't until nobody is left out.
//!
//! Why this is exact between threads: a thread in the graph is inside a blocking call
//! from before the search starts, and as long as its ticket is in the queue it stays
//! there. So it releases nothing meanwhile, and what the search saw of it at different
//! moments was true at one. A guard that is sent on is no thread's any more.
//!
//! A task may hold a lock in one branch and wait in another, so a cycle with a task in
//! it is a suspicion. It is looked at again a second later, by a thread that there is
//! only while there are suspicions; if nobody in it has moved, it is reported.

use super::identity::name_of;
use super::table::{self, EntryId, Place};
use crate::deadlock::{Deadlock, Edge, report};
use crate::key::Key;
use crate::owner::Owner;
use crate::site::{Holder, Record};
use crate::sync::{Mutex, statics};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::thread;
use std::time::{Duration, Instant};

/// How long a suspicion must last to be reported.
const SUSPICION: Duration = Duration::from_secs(1);

statics! {
    static GRAPH: Mutex<Graph> = Mutex::new(Graph {
        waits: BTreeMap::new(),
        reported: Vec::new(),
    });

    static WATCH: Mutex<Watch> = Mutex::new(Watch {
        suspicions: VecDeque::new(),
        runs: false,
    });
}

/// All waiters of the process. The mutex of a shard may be locked while this one is,
/// not the other way round.
struct Graph {
    waits: BTreeMap<(Owner, Place), bool>,
    /// Suspicions that were reported and still last.
    reported: Vec<Cycle>,
}

/// A waiter's registration. Made when it has joined the queue, dropped when it has
/// left.
#[derive(Debug)]
pub(super) struct Waiting {
    owner: Owner,
    pub(super) place: Place,
    timed: bool,
    /// The cycle that this wait closed, if only threads are in it.
    deadlock: Option<Deadlock>,
}

/// What a waiter waits for.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) waiter: Record,
    pub(super) space: u64,
    pub(super) key: Key,
    pub(super) holders: Vec<(Place, Record)>,
    /// Whether any one of the holders is in the way, or only all of them together.
    pub(super) any: bool,
}

/// A cycle of waits: each waits for a hold of the next one's owner.
#[derive(Debug)]
struct Cycle(Vec<Step>);

#[derive(Debug)]
struct Step {
    wait: Place,
    hold: Place,
    waiter: Record,
    space: u64,
    key: Key,
    holder: Record,
}

/// Cycles to be looked at again, in the order in which they are due.
struct Watch {
    suspicions: VecDeque<Suspicion>,
    /// Whether there is a thread that does it.
    runs: bool,
}

struct Suspicion {
    owner: Owner,
    place: Place,
    cycle: Cycle,
    since: Instant,
}

/// The locks that are part of a suspicion which was reported and still lasts.
pub(super) fn suspected() -> BTreeSet<EntryId> {
    let graph = GRAPH.lock();
    graph
        .reported
        .iter()
        .flat_map(|cycle| &cycle.0)
        .map(|step| step.hold.entry)
        .collect()
}

/// Whether nobody waits, and nothing is left of those who did.
#[cfg(all(test, loom))]
pub(super) fn is_empty() -> bool {
    let graph = GRAPH.lock();
    graph.waits.is_empty() && graph.reported.is_empty()
}

impl Waiting {
    /// Registers a waiter that has just joined a queue, and looks for a cycle.
    pub(super) fn enter(owner: Owner, place: Place, timed: bool) -> Self {
        let mut graph = GRAPH.lock();
        graph.waits.insert((owner, place), timed);
        let certain = graph.search(
            owner,
            place,
            if timed {
                |owner, _| !owner.is_task()
            } else {
                |owner, timed| !owner.is_task() && !timed
            },
        );
        let suspected = match certain {
            Some(_) => None,
            None => graph.search(owner, place, |_, _| true),
        };
        drop(graph);
        if let Some(cycle) = suspected {
            watch(Suspicion {
                owner,
                place,
                cycle,
                since: Instant::now(),
            });
        }
        let deadlock = certain.map(|cycle| cycle.describe());
        Self {
            owner,
            place,
            timed,
            deadlock,
        }
    }

    /// Registers the waiter under another name, if it has one.
    pub(super) fn rename(&mut self, owner: Owner) {
        if self.owner != owner {
            *self = Self::enter(owner, self.place, self.timed);
        }
    }

    /// The cycle that this wait closed, if only threads are in it.
    pub(super) fn take_deadlock(&mut self) -> Option<Deadlock> {
        self.deadlock.take()
    }

    /// The cycle that this wait is part of now, if any.
    pub(super) fn suspicion(&self) -> Option<Deadlock> {
        let cycle = GRAPH.lock().search(self.owner, self.place, |_, _| true);
        cycle.map(|cycle| cycle.describe())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut graph = GRAPH.lock();
        graph.waits.remove(&(self.owner, self.place));
        graph
            .reported
            .retain(|cycle| !cycle.0.iter().any(|step| step.wait == self.place));
    }
}

impl Cycle {
    fn describe(&self) -> Deadlock {
        let edge = |step: &Step| Edge {
            waiter: Holder::from(step.waiter),
            space: name_of(step.space),
            key: step.key.clone(),
            holder: Holder::from(step.holder),
        };
        Deadlock::new(self.0.iter().map(edge).collect())
    }

    /// Whether nobody has moved between the two.
    fn is_same(&self, other: &Self) -> bool {
        let places = |cycle: &Self| -> Vec<_> {
            cycle.0.iter().map(|step| (step.wait, step.hold)).collect()
        };
        places(self) == places(other)
    }
}

impl Wait {
    fn is_stuck(&self, stuck: &BTreeSet<Owner>) -> bool {
        let mut holders = self.holders.iter().map(|(_, holder)| holder.owner);
        if self.any {
            holders.any(|owner| stuck.contains(&owner))
        } else {
            !self.holders.is_empty() && holders.all(|owner| stuck.contains(&owner))
        }
    }
}

/// What each owner waits for.
type Waits = BTreeMap<Owner, Vec<(Place, Wait)>>;

impl Graph {
    /// A cycle through what `me` waits for at `place`, among the owners that `of` lets
    /// in.
    fn search(&self, me: Owner, place: Place, of: fn(Owner, bool) -> bool) -> Option<Cycle> {
        let mut waits = self.reach(me, place, of);
        loop {
            let stuck: BTreeSet<Owner> = waits.keys().copied().collect();
            waits.retain(|_, waits| waits.iter().any(|(_, wait)| wait.is_stuck(&stuck)));
            if waits.len() == stuck.len() {
                break;
            }
        }
        let first = waits.get(&me)?.iter().find(|(at, _)| *at == place)?;
        find_way(first, me, &waits)
    }

    /// The waits of an owner and of everybody it waits for, over any number of steps.
    fn reach(&self, me: Owner, place: Place, of: fn(Owner, bool) -> bool) -> Waits {
        let mut waits = Waits::new();
        let mut reached = vec![me];
        while let Some(owner) = reached.pop() {
            // Those without a name are not one and the same.
            if owner == Owner::UNKNOWN || waits.contains_key(&owner) {
                continue;
            }
            // Of our own waits only the one that the cycle is to go through.
            let range = if owner == me {
                (me, place)..=(me, place)
            } else {
                (owner, Place::MIN)..=(owner, Place::MAX)
            };
            let places = self
                .waits
                .range(range)
                .filter(|((owner, _), timed)| of(*owner, **timed))
                .map(|((_, place), _)| *place);
            // Who isn't in the queue any more has the lock, or has left.
            let own: Vec<_> = places
                .filter_map(|place| Some((place, table::wait(place)?)))
                .collect();
            let holders = own.iter().flat_map(|(_, wait)| &wait.holders);
            reached.extend(holders.map(|(_, holder)| holder.owner));
            waits.insert(owner, own);
        }
        waits
    }
}

/// Goes on from a wait to `goal`, along those who are stuck. Not recursive: a way can be as
/// long as there are waiters.
fn find_way(from: &(Place, Wait), goal: Owner, waits: &Waits) -> Option<Cycle> {
    let ways = |(place, wait): &'_ (Place, Wait)| -> Vec<Step> {
        let step = |(hold, holder): &(Place, Record)| Step {
            wait: *place,
            hold: *hold,
            waiter: wait.waiter,
            space: wait.space,
            key: wait.key.clone(),
            holder: *holder,
        };
        wait.holders.iter().map(step).collect()
    };
    let mut seen = BTreeSet::new();
    // For each step of the path, the ways that are still to be tried from there.
    let mut open = vec![ways(from).into_iter()];
    let mut path: Vec<Step> = Vec::new();
    while let Some(next) = open.last_mut() {
        let Some(step) = next.next() else {
            open.pop();
            path.pop();
            continue;
        };
        let owner = step.holder.owner;
        let Some(waits) = waits.get(&owner) else {
            continue;
        };
        if owner == goal {
            path.push(step);
            return Some(Cycle(path));
        }
        if seen.insert(owner) {
            path.push(step);
            open.push(waits.iter().flat_map(ways).collect::<Vec<_>>().into_iter());
        }
    }
    None
}

/// Has a suspicion looked at again when it is due.
fn watch(suspicion: Suspicion) {
    let mut watch = WATCH.lock();
    watch.suspicions.push_back(suspicion);
    if !watch.runs {
        // Without a thread to be had, the next suspicion tries again.
        let thread = thread::Builder::new().name("lockutils-watch".to_owned());
        watch.runs = thread.spawn(run_watch).is_ok();
    }
}

fn run_watch() {
    while let Some(suspicion) = next_suspicion() {
        let Suspicion {
            owner,
            place,
            cycle,
            since,
        } = suspicion;
        thread::sleep((since + SUSPICION).saturating_duration_since(Instant::now()));
        let mut graph = GRAPH.lock();
        let Some(now) = graph.search(owner, place, |_, _| true) else {
            continue;
        };
        if now.is_same(&cycle) {
            let deadlock = now.describe();
            graph.reported.push(now);
            drop(graph);
            report(&deadlock);
        } else {
            drop(graph);
            watch(Suspicion {
                owner,
                place,
                cycle: now,
                since: Instant::now(),
            });
        }
    }
}

fn next_suspicion() -> Option<Suspicion> {
    let mut watch = WATCH.lock();
    let next = watch.suspicions.pop_front();
    watch.runs = next.is_some();
    next
}

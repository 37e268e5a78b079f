//! Which lock keeps which others from being released.
//!
//! A lock is *behind* another one whose queue its holder is in. So locks make a forest; its roots are
//! locks whose holders wait for none, and those in a cycle. Where a lock has several holders, it is
//! stuck if one of them is, or in a space with several permits if all are, as in the search for
//! deadlocks. What was handed over and isn't come for is a root, whatever else its task waits for.
//!
//! Cycles are found first: from all locks those are taken out that can be released, and those behind
//! them, until none is left that can. Then each other lock is put below the one that it was reached
//! from first, so it and its waiters are counted once.

use crate::ordered::{OrderedMap, OrderedSet, sort};
use crate::outside::Asking;
use crate::owner::Owner;
use crate::table::entry::look::Contended;
use crate::table::moment::Moment;
use crate::table::party::Party;
use crate::table::place::{Place, Ticket};
use std::collections::VecDeque;
use std::time::Duration;

/// A lock that somebody waits for.
pub(super) struct Lock {
    pub(super) seen: Contended,
    /// That another process, or a server, has it.
    pub(super) asking: Option<Asking>,
    edges: Vec<Edge>,
    /// Whether one of its holders waits for no lock.
    runs: bool,
    /// The locks behind it, by who holds them and waits for this one.
    pub(super) inside: OrderedMap<Owner, Vec<usize>>,
    /// How many wait, for it and for those behind it, and for how long together.
    pub(super) waiters: usize,
    pub(super) waited: Duration,
}

/// What a holder waits for.
#[derive(Clone, Copy)]
struct Edge {
    owner: Owner,
    to: usize,
}

/// Where the others are behind.
pub(super) enum Root {
    Lock(usize),
    /// Each lock with the place of its holder in the queue of the next one.
    Cycle(Vec<(usize, Owner, Place)>),
}

impl Root {
    /// Whether a lock is one of it.
    pub(super) fn has(&self, lock: usize) -> bool {
        match self {
            Self::Lock(index) => *index == lock,
            Self::Cycle(cycle) => cycle.iter().any(|(index, ..)| *index == lock),
        }
    }
}

impl Lock {
    pub(super) fn new(seen: Contended, asking: Option<Asking>, now: Moment) -> Self {
        Self {
            waiters: seen.queue.len(),
            waited: seen.queue.iter().map(|waiter| waiter.waited(now)).sum(),
            seen,
            asking,
            edges: Vec::new(),
            runs: false,
            inside: OrderedMap::new(),
        }
    }

    /// The holder that is to be looked at, of one that is behind no other.
    pub(super) fn culprit(&self, forest: &Forest) -> Option<&Party> {
        let holders = &self.seen.holders;
        let not_come = |party: &&Party| party.not_come.is_some();
        let runs = |party: &&Party| !forest.waits.contains_key(&party.record.owner);
        holders
            .iter()
            .find(not_come)
            .or_else(|| holders.iter().find(runs))
            .or_else(|| holders.first())
    }

    /// The hold of the line by which it is asked for outside of the process, if it is.
    pub(super) fn asks(&self) -> Option<(u64, Ticket)> {
        let first = self.seen.queue.first().filter(|_| self.asking.is_some())?;
        Some((first.place.entry.hash, first.place.ticket))
    }

    fn is_stuck_by_one(&self) -> bool {
        self.seen.permits == 1
    }
}

/// All locks that somebody waits for.
pub(super) struct Forest {
    pub(super) locks: Vec<Lock>,
    /// The locks that a holder of another one waits for.
    waits: OrderedMap<Owner, Vec<usize>>,
    /// The locks whose holders wait for each of them.
    behind: Vec<Vec<(usize, Owner)>>,
    is_assigned: Vec<bool>,
    /// Locks that were put below another one, after that.
    order: Vec<(usize, usize)>,
}

impl Forest {
    pub(super) fn new(locks: Vec<Lock>) -> Self {
        // Those who only wait are many, and keep nobody from anything.
        let mut holders = OrderedSet::new();
        for lock in &locks {
            let owners = lock.seen.holders.iter().map(|holder| holder.record.owner);
            holders.extend(owners.filter(|owner| *owner != Owner::UNKNOWN));
        }
        let mut waits: OrderedMap<Owner, Vec<usize>> = OrderedMap::new();
        for (index, lock) in locks.iter().enumerate() {
            for waiter in &lock.seen.queue {
                if holders.contains_key(&waiter.record.owner) {
                    let awaited = waits.get_or_default(waiter.record.owner);
                    if awaited.last() != Some(&index) {
                        awaited.push(index);
                    }
                }
            }
        }
        let count = locks.len();
        let mut forest = Self {
            locks,
            waits,
            behind: vec![Vec::new(); count],
            is_assigned: vec![false; count],
            order: Vec::new(),
        };
        for index in 0..count {
            forest.connect(index);
        }
        forest
    }

    /// Finds what the holders of a lock wait for.
    fn connect(&mut self, index: usize) {
        let Self {
            locks,
            waits,
            behind,
            ..
        } = self;
        let lock = &mut locks[index];
        let holders = &lock.seen.holders;
        let not_come = holders.iter().any(|holder| holder.not_come.is_some());
        if lock.asking.is_some() || not_come {
            lock.runs = true;
            return;
        }
        let owners = holders.iter().map(|holder| holder.record.owner);
        lock.runs = owners.clone().any(|owner| !waits.contains_key(&owner));
        if lock.runs && !lock.is_stuck_by_one() {
            return; // Somebody's permit comes back.
        }
        for owner in owners {
            let awaited = waits.get(&owner).map_or(&[][..], Vec::as_slice);
            // With several permits each holder has one part in it.
            let most = if lock.seen.permits == 1 {
                awaited.len()
            } else {
                1
            };
            for to in awaited.iter().take(most) {
                lock.edges.push(Edge { owner, to: *to });
                behind[*to].push((index, owner));
            }
        }
    }

    /// Finds the roots, and puts all other locks below them. Those that most has been waited for
    /// come first.
    pub(super) fn find_roots(&mut self) -> Vec<(Root, usize, Duration)> {
        let is_stuck = self.find_stuck();
        let mut roots = Vec::new();
        for index in 0..self.locks.len() {
            if is_stuck[index] && !self.is_assigned[index] {
                let cycle = self.follow(index, &is_stuck);
                let members = cycle.iter().map(|(member, ..)| *member).collect();
                roots.push(Root::Cycle(cycle));
                self.spread(members, &|index| is_stuck[index]);
            }
        }
        let is_root = |lock: &Lock| lock.runs || lock.edges.is_empty();
        let free: Vec<_> = (0..self.locks.len())
            .filter(|index| !self.is_assigned[*index] && is_root(&self.locks[*index]))
            .collect();
        roots.extend(free.iter().map(|index| Root::Lock(*index)));
        self.spread(free, &|_| true);
        for (index, below) in self.order.iter().rev() {
            let (waiters, waited) = (self.locks[*index].waiters, self.locks[*index].waited);
            self.locks[*below].waiters += waiters;
            self.locks[*below].waited += waited;
        }
        let mut found = Vec::new();
        for root in roots {
            let (mut waiters, mut waited) = (0, Duration::ZERO);
            let mut add = |index: usize| {
                waiters += self.locks[index].waiters;
                waited += self.locks[index].waited;
            };
            match &root {
                Root::Lock(index) => add(*index),
                Root::Cycle(cycle) => cycle.iter().for_each(|(index, ..)| add(*index)),
            }
            found.push((root, waiters, waited));
        }
        sort(&mut found, |(_, _, one), (_, _, other)| other.cmp(one));
        found
    }

    /// The lock at the root that a lock is behind, be it itself. After the roots were found.
    pub(super) fn root_of(&self, lock: usize) -> usize {
        let below = self.order.iter().find(|(index, _)| *index == lock);
        below.map_or(lock, |(_, below)| self.root_of(*below))
    }

    /// The locks that nobody can release: those in cycles, and behind them.
    fn find_stuck(&self) -> Vec<bool> {
        let mut is_stuck: Vec<_> = self
            .locks
            .iter()
            .map(|lock| !lock.edges.is_empty())
            .collect();
        let mut left: Vec<_> = self.locks.iter().map(|lock| lock.edges.len()).collect();
        let free = (0..self.locks.len()).filter(|index| !is_stuck[*index]);
        let mut next: VecDeque<_> = free.collect();
        while let Some(free) = next.pop_front() {
            for (index, _) in &self.behind[free] {
                left[*index] -= 1;
                let gets_free = left[*index] == 0 || !self.locks[*index].is_stuck_by_one();
                if gets_free && is_stuck[*index] {
                    is_stuck[*index] = false;
                    next.push_back(*index);
                }
            }
        }
        is_stuck
    }

    /// A cycle that is come to from a stuck lock.
    fn follow(&self, from: usize, is_stuck: &[bool]) -> Vec<(usize, Owner, Place)> {
        let mut way: Vec<(usize, Owner, Place)> = Vec::new();
        let mut at = from;
        loop {
            if let Some(begin) = way.iter().position(|(index, ..)| *index == at) {
                return way.split_off(begin);
            }
            let mut edges = self.locks[at].edges.iter();
            let Some(edge) = edges.find(|edge| is_stuck[edge.to]) else {
                return way; // There is one, as it is stuck.
            };
            let mut queue = self.locks[edge.to].seen.queue.iter();
            let waiter = queue.find(|waiter| waiter.record.owner == edge.owner);
            let place = waiter.expect("it waits there").place;
            way.push((at, edge.owner, place));
            at = edge.to;
        }
    }

    /// Puts all locks of some kind that are behind these, and below no other, below them.
    fn spread(&mut self, roots: Vec<usize>, of: &dyn Fn(usize) -> bool) {
        for root in &roots {
            self.is_assigned[*root] = true;
        }
        let mut next = VecDeque::from(roots);
        while let Some(at) = next.pop_front() {
            for (index, owner) in self.behind[at].clone() {
                if !self.is_assigned[index] && of(index) {
                    self.is_assigned[index] = true;
                    let inside = self.locks[at].inside.get_or_default(owner);
                    inside.push(index);
                    self.order.push((index, at));
                    next.push_back(index);
                }
            }
        }
    }
}

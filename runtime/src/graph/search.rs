//! The search for a cycle through one wait.
//!
//! An owner is *stuck* if it waits for a lock all of whose room is with the stuck: one
//! stuck holder is enough, or all of them must be in a space with several permits. The
//! stuck are found by starting with all owners that can be reached, and taking out those that
//! aren't stuck until none is taken out any more.
//!
//! Beside the holders a task can be in the way that was called, and has not come: before those behind it the lock is
//! that one's. A thread that was called runs, or is in the way of nobody for whom its own holders aren't.
//!
//! Holders that don't wait are never looked at one by one, see
//! [`crowd`](crate::table::crowd); and a lock that many wait for is looked at once.

use crate::ordered::{OrderedMap, OrderedSet};
use crate::owner::Owner;
use crate::site::Record;
use crate::table;
use crate::table::crowd::WaitingHolder;
use crate::table::entry::InTheWay;
use crate::table::place::{EntryId, Place};
use crate::table::waits::{Blocked, Cycle, Step, Waits, count_step};
use std::collections::VecDeque;

/// Which waits a search goes through.
pub(super) type Of = fn(Owner, &Blocked) -> bool;

pub(super) const ANYBODY: Of = |_, wait| !wait.told;
pub(super) const THREADS: Of = |owner, wait| owner.is_thread() && !wait.told;
pub(super) const SURE_THREADS: Of = |owner, wait| owner.is_thread() && !wait.can_fail && !wait.told;

/// What has been reached from a wait.
pub(super) struct Search<'a> {
    waits: &'a Waits,
    of: Of,
    /// Owners, in the order in which they were reached.
    reached: Vec<Owner>,
    branches: OrderedMap<Owner, Vec<Branch>>,
    locks: OrderedMap<EntryId, Lock>,
}

/// What is in the way of an owner where it waits.
struct Branch {
    place: Place,
    waiter: Record,
    /// The waiter in the way, if it isn't the holders of the lock.
    before: Option<(Place, Record)>,
}

/// A lock that somebody waits for.
struct Lock {
    /// Those who wait themselves, if they can make others stuck.
    holders: Vec<(Place, Record)>,
    /// Whether any one of them is in the way, or only all of them together.
    any: bool,
}

/// Those of the reached who are stuck.
pub(super) struct Stuck<'a> {
    search: Search<'a>,
    me: Owner,
    owners: OrderedSet<Owner>,
}

impl<'a> Search<'a> {
    pub(super) const fn new(waits: &'a Waits, of: Of) -> Self {
        Self {
            waits,
            of,
            reached: Vec::new(),
            branches: OrderedMap::new(),
            locks: OrderedMap::new(),
        }
    }

    /// Finds whether `me` is stuck at `place`. Of its own waits only that one counts.
    pub(super) fn run(mut self, me: Owner, place: Place) -> Option<Stuck<'a>> {
        self.visit(me, [place]);
        if self.branches[&me].is_empty() {
            return None;
        }
        let mut next = 0;
        while let Some(owner) = self.reached.get(next).copied() {
            next += 1;
            if !self.branches.contains_key(&owner) {
                let waits = self.waits.of(owner);
                let allowed = waits.filter(|(_, wait)| (self.of)(owner, wait));
                let places: Vec<_> = allowed.map(|(place, _)| place).collect();
                self.visit(owner, places);
            }
        }
        let owners = self.find_stuck();
        owners.contains_key(&me).then_some(Stuck {
            search: self,
            me,
            owners,
        })
    }

    /// Looks at what an owner waits for, and which holder or waiter is in its way there.
    fn visit(&mut self, owner: Owner, places: impl IntoIterator<Item = Place>) {
        count_step();
        let mut branches = Vec::new();
        for place in places {
            self.look(owner, place, &mut branches);
        }
        self.branches.insert(owner, branches);
    }

    /// Looks at a wait, and at the lock if that is new, at one moment, and adds what is in its way. Nothing is in
    /// that of a waiter that isn't in the queue any more, and so has the lock or has left. Nor is a branch of the same
    /// task that only waits before it, and goes on as soon as it can itself.
    fn look(&mut self, me: Owner, place: Place, branches: &mut Vec<Branch>) {
        let Self {
            waits, of, locks, ..
        } = self;
        let of = |ticket, owner| {
            let wait = waits.get(owner, Place { ticket, ..place });
            wait.is_some_and(|wait| of(owner, wait))
        };
        let is_new = !locks.contains_key(&place.entry);
        let looked = table::look(place.entry, |entry| {
            let of_another = |ticket, owner| owner != me && of(ticket, owner);
            let (waiter, in_the_way) = entry.wait(place.ticket, of_another)?;
            let called = entry.called_before(place.ticket);
            let called = called.filter(|(ticket, called)| of(*ticket, called.owner));
            let is_new = is_new && matches!(in_the_way, InTheWay::Holders);
            let lock = is_new.then(|| {
                let holders = entry.waiting_holders(waits);
                (holders, entry.holder_count(), entry.has_one_permit())
            });
            Some((waiter, in_the_way, called, lock))
        });
        let Some((waiter, in_the_way, called, lock)) = looked.flatten() else {
            return;
        };
        if let Some((holders, count, any)) = lock {
            self.add_lock(place, holders, count, any);
        }
        let (is_held, before) = match in_the_way {
            InTheWay::Holders => (!self.locks[&place.entry].holders.is_empty(), None),
            InTheWay::Waiter(ticket, record) => (false, Some((ticket, record))),
            InTheWay::Nothing => (false, None),
        };
        let branch = |before| Branch {
            place,
            waiter,
            before,
        };
        branches.extend(is_held.then(|| branch(None)));
        for (ticket, record) in before.into_iter().chain(called) {
            self.reached.push(record.owner);
            branches.push(branch(Some((Place { ticket, ..place }, record))));
        }
    }

    fn add_lock(&mut self, at: Place, holders: Vec<WaitingHolder>, count: usize, any: bool) {
        let allowed = |holder: &WaitingHolder| {
            let owner = holder.record.owner;
            let mut waits = self.waits.of(owner);
            waits.any(|(_, wait)| (self.of)(owner, wait))
        };
        let mut holders: Vec<_> = holders.into_iter().filter(allowed).collect();
        let holds: usize = holders.iter().map(|holder| holder.holds).sum();
        if !any && holds < count {
            // Somebody else's permit comes back.
            holders.clear();
        }
        let reached = holders.iter().map(|holder| holder.record.owner);
        self.reached.extend(reached);
        let place = |holder: WaitingHolder| {
            let ticket = holder.ticket;
            (Place { ticket, ..at }, holder.record)
        };
        let holders = holders.into_iter().map(place).collect();
        self.locks.insert(at.entry, Lock { holders, any });
    }

    fn find_stuck(&self) -> OrderedSet<Owner> {
        let mut stuck: OrderedSet<Owner> = self.branches.keys().copied().collect();
        loop {
            let before = stuck.len();
            // Those who were reached last first: so a long line of them takes one round.
            for owner in self.reached.iter().rev().chain(self.branches.keys()) {
                count_step();
                let mut branches = self.branches[owner].iter();
                if !branches.any(|branch| self.is_blocked(branch, &stuck)) {
                    stuck.remove(owner);
                }
            }
            if stuck.len() == before {
                return stuck;
            }
        }
    }

    fn is_blocked(&self, branch: &Branch, stuck: &OrderedSet<Owner>) -> bool {
        if let Some((_, waiter)) = &branch.before {
            return stuck.contains_key(&waiter.owner);
        }
        let Lock { holders, any } = &self.locks[&branch.place.entry];
        let mut holders = holders.iter().map(|(_, holder)| holder.owner);
        if *any {
            holders.any(|owner| stuck.contains_key(&owner))
        } else {
            holders.all(|owner| stuck.contains_key(&owner))
        }
    }
}

/// How an owner was come to: from whom, by what it waits for, to which hold.
type Way<'a> = (Owner, &'a Branch, (Place, Record));

impl Stuck<'_> {
    /// The waits of those who are stuck.
    pub(super) fn waits(&self) -> Vec<(Owner, Place)> {
        let mut waits = Vec::new();
        for (owner, branches) in &self.search.branches {
            if self.owners.contains_key(owner) {
                waits.extend(branches.iter().map(|branch| (*owner, branch.place)));
            }
        }
        waits
    }

    /// A shortest way from the wait back to its owner, along those who are stuck.
    pub(super) fn find_cycle(&self) -> Option<Cycle> {
        let Search {
            branches, locks, ..
        } = &self.search;
        let mut ways: OrderedMap<Owner, Way<'_>> = OrderedMap::new();
        let mut seen_locks = OrderedSet::new();
        let mut next = VecDeque::from([self.me]);
        while let Some(owner) = next.pop_front() {
            let branches = branches[&owner].iter();
            for branch in branches.filter(|branch| self.search.is_blocked(branch, &self.owners)) {
                let holders = match &branch.before {
                    Some(before) => std::slice::from_ref(before),
                    // Those who are behind it have been come to.
                    None if !seen_locks.add(branch.place.entry) => continue,
                    None => &locks[&branch.place.entry].holders[..],
                };
                for hold in holders {
                    let to = hold.1.owner;
                    if self.owners.contains_key(&to) && !ways.contains_key(&to) {
                        ways.insert(to, (owner, branch, *hold));
                        next.push_back(to);
                    }
                }
            }
            if ways.contains_key(&self.me) {
                return self.follow(&ways);
            }
        }
        None
    }

    /// The way back to `me`; `None` if a lock of it is gone by now.
    fn follow(&self, ways: &OrderedMap<Owner, Way<'_>>) -> Option<Cycle> {
        let mut steps = Vec::new();
        let mut to = self.me;
        loop {
            let (from, branch, (hold, holder)) = ways[&to];
            let entry = branch.place.entry;
            let (space, key) = table::look(entry, |entry| (entry.space, entry.key()))?;
            steps.push(Step {
                wait: branch.place,
                hold,
                waiter: branch.waiter,
                space,
                key,
                holder,
            });
            to = from;
            if to == self.me {
                steps.reverse();
                return Some(Cycle(steps));
            }
        }
    }
}

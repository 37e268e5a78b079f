//! Which owner waits at which place, for the search for deadlocks; the [`graph`](crate::graph)
//! keeps it.

use super::place::Place;
use super::watched::Watched;
use crate::arrivals::Arrivals;
use crate::key::Key;
use crate::ordered::OrderedMap;
use crate::owner::Owner;
use crate::site::Record;
#[cfg(all(test, not(loom)))]
use std::cell::Cell;

#[cfg(all(test, not(loom)))]
thread_local! {
    /// How many owners were looked at by searches of this thread.
    pub(crate) static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// Counts an owner that a search looks at, for the test of how many those are.
#[cfg(all(test, not(loom)))]
pub(crate) fn count_step() {
    STEPS.set(STEPS.get() + 1);
}

#[cfg(not(all(test, not(loom))))]
pub(crate) const fn count_step() {}

/// Which owner waits at which place.
pub(crate) struct Waits {
    pub(crate) by_owner: OrderedMap<(Owner, Place), Blocked>,
    /// In the order in which they began.
    pub(crate) by_age: Arrivals<u64, (Owner, Place)>,
    begun: u64,
}

/// A wait in the graph.
pub(crate) struct Blocked {
    /// Its key in [`Waits::by_age`].
    pub(crate) number: u64,
    /// Whether it can end in an error.
    pub(crate) can_fail: bool,
    /// Whether it is about to, since it is to dissolve a deadlock. Then its thread runs, or
    /// has been called.
    pub(crate) told: bool,
    /// That deadlock, until the thread has come for it.
    pub(crate) deadlock: Option<Cycle>,
    /// Its key in the graph's suspicions, while it is in one that isn't reported.
    pub(crate) suspicion: Option<u64>,
    /// What those want to know who listen to it.
    pub(crate) watched: Option<Box<Watched>>,
}

/// A cycle of waits: each waits for a hold of the next one's owner.
#[derive(Clone, Debug)]
pub(crate) struct Cycle(pub(crate) Vec<Step>);

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) wait: Place,
    pub(crate) hold: Place,
    pub(crate) waiter: Record,
    pub(crate) space: u64,
    pub(crate) key: Key,
    pub(crate) holder: Record,
}

impl Waits {
    pub(crate) const fn new() -> Self {
        Self {
            by_owner: OrderedMap::new(),
            by_age: Arrivals::new(),
            begun: 0,
        }
    }

    pub(crate) fn insert(
        &mut self,
        owner: Owner,
        place: Place,
        can_fail: bool,
        watched: Option<Box<Watched>>,
    ) {
        let number = self.begun;
        self.begun += 1;
        self.by_age.push(number, (owner, place));
        let wait = Blocked {
            number,
            can_fail,
            told: false,
            deadlock: None,
            suspicion: None,
            watched,
        };
        self.by_owner.insert((owner, place), wait);
    }

    /// The owner of a wait that is about to end has another name by now.
    pub(crate) fn rename(&mut self, (owner, place): (Owner, Place), to: Owner) {
        if let Some(wait) = self.by_owner.remove(&(owner, place)) {
            if let Some(wait) = self.by_age.get_mut(&wait.number) {
                *wait = (to, place);
            }
            self.by_owner.insert((to, place), wait);
        }
    }

    pub(crate) fn remove(&mut self, owner: Owner, place: Place) -> Option<Blocked> {
        let wait = self.by_owner.remove(&(owner, place))?;
        self.by_age.remove(&wait.number);
        Some(wait)
    }

    pub(crate) fn get(&self, owner: Owner, place: Place) -> Option<&Blocked> {
        self.by_owner.get(&(owner, place))
    }

    pub(crate) fn get_mut(&mut self, owner: Owner, place: Place) -> Option<&mut Blocked> {
        self.by_owner.get_mut(&(owner, place))
    }

    /// What an owner waits for.
    pub(crate) fn of(&self, owner: Owner) -> impl Iterator<Item = (Place, &Blocked)> {
        // Those without a name are not one and the same.
        let (from, to) = match owner {
            Owner::UNKNOWN => (Place::MAX, Place::MAX),
            _ => (Place::MIN, Place::MAX),
        };
        let waits = self.by_owner.range((owner, from)..=(owner, to));
        waits.map(|((_, place), wait)| (*place, wait))
    }

    pub(crate) fn is_waiting(&self, owner: Owner) -> bool {
        self.of(owner).next().is_some()
    }

    /// How many waits have begun so far.
    pub(crate) const fn begun(&self) -> u64 {
        self.begun
    }

    /// The owners that have begun to wait since [`Waits::begun`] was `number`, and still do.
    pub(crate) fn begun_since(&self, number: u64) -> impl Iterator<Item = Owner> {
        self.by_age.since(number).map(|(_, (owner, _))| *owner)
    }
}

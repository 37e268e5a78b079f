//! What locks have cost so far: those who waited, by where in the code, and whom that is blamed on.
//!
//! All of it is under one mutex. A wait that ends doesn't lock it: what waits for a lock have come to is
//! [summed up](bill) beside the lock first, until somebody reads. The rows are by space and by place in the code, or by the
//! [other process](crate::culprit) that has the lock, so the programs' texts bound how many there are, and
//! [`MOST`] does so for certain. Keys have no rows, but
//! for the [costliest](keys).
//!
//! A space is a number here, of which [`name_of`](crate::table::identity::name_of) gives the name.

mod bill;
pub(crate) mod histogram;
mod keys;
mod place;
mod server;
mod sums;
#[cfg(feature = "metrics")]
mod told;

use crate::culprit::Culprit;
#[cfg(feature = "metrics")]
use crate::observe::facade;
use crate::observe::listen::{Listeners, listen};
use crate::observe::outcome::Outcome;
use crate::ordered::{OrderedMap, Ranked};
use crate::sync::{Mutex, nanoseconds, statics};
pub(crate) use bill::Bill;
use histogram::Histogram;
pub(crate) use keys::CostOfKey;
use keys::Keys;
pub(crate) use place::{Cost, Pair, Place};
pub use server::Question;
pub(crate) use server::{Answers, CostOfServer};
use std::time::Duration;
pub(crate) use sums::Account;
#[cfg(feature = "metrics")]
pub(crate) use told::Told;

/// How many rows a table has.
const MOST: usize = 512;

statics! {
    static COSTS: Mutex<Costs> = Mutex::new(Costs::new());
}

/// What locks have cost.
#[derive(Clone)]
pub(crate) struct Costs {
    /// Since when it is counted; see [`nanoseconds`].
    since: Option<u64>,
    pub(crate) spaces: OrderedMap<u64, CostOfSpace>,
    pub(crate) servers: OrderedMap<u64, CostOfServer>,
    /// Whom waits were blamed on.
    pub(crate) pairs: OrderedMap<Pair, Cost>,
    pub(crate) keys: Keys,
    /// How often a lock was refused to who doesn't wait, by its holder.
    pub(crate) refused: OrderedMap<Place, u64>,
    pub(crate) long_holds: OrderedMap<Place, u64>,
    pub(crate) certain_deadlocks: u64,
    pub(crate) suspected_deadlocks: u64,
    /// How often locks were found to be taken in two orders.
    pub(crate) misorders: u64,
    /// What there was no row for, here, in a recording or among the orders of locks.
    pub(crate) dropped: u64,
}

#[derive(Clone)]
pub(crate) struct CostOfSpace {
    waits: [Histogram; Outcome::ALL.len()],
    /// From when a waiter could have had the lock until it came for it.
    pub(crate) hand_overs: Histogram,
    /// How often a thread has got a lock without a wait, by pausing.
    pub(crate) spins: u64,
}

/// Counts from now on, and has these listen too.
pub(crate) fn begin(others: Listeners) {
    // Before there is a wait, since a rate is by the time in which there could have been some.
    COSTS.lock().begin();
    listen(Listeners::COUNTS.and(others));
}

/// Writes down what waits for a lock have come to.
pub(crate) fn post(account: &Account) {
    let mut costs = COSTS.lock();
    let Account {
        space, key, sums, ..
    } = account;
    let since = sums.since.nanoseconds();
    costs.since = Some(costs.since.map_or(since, |known| known.min(since)));
    if let Some(of_space) = costs.space(*space) {
        of_space.hand_overs.merge(&sums.hand_overs);
        for (outcome, waits) in &sums.waits {
            of_space.waits[*outcome as usize].merge(waits);
        }
    }
    for (holder, waiter, cost) in &sums.parts {
        let pair = Pair {
            space: *space,
            holder: *holder,
            waiter: *waiter,
        };
        let Costs {
            pairs,
            keys,
            dropped,
            ..
        } = &mut *costs;
        if let Some(key) = key {
            keys.add(pair, key, *cost);
        }
        if let Some(sum) = row(pairs, pair, dropped) {
            sum.add(*cost);
        }
    }
}

/// A thread has got a lock by pausing.
pub(crate) fn spun(space: u64) {
    #[cfg(feature = "metrics")]
    facade::spun(space);
    if let Some(space) = COSTS.lock().space(space) {
        space.spins += 1;
    }
}

/// A lock was refused to who doesn't wait.
pub(crate) fn refused(space: u64, holder: Option<Culprit>) {
    #[cfg(feature = "metrics")]
    facade::refused(space, holder);
    COSTS
        .lock()
        .count(|costs| &mut costs.refused, Place { space, holder });
}

/// A lock was held for too long.
pub(crate) fn held_long(space: u64, holder: Option<Culprit>) {
    #[cfg(feature = "metrics")]
    facade::held_long(space, holder);
    COSTS
        .lock()
        .count(|costs| &mut costs.long_holds, Place { space, holder });
}

/// A server has answered after some time, or failed to.
pub(crate) fn answered(space: u64, question: Question, took: Option<Duration>) {
    #[cfg(feature = "metrics")]
    facade::answered(space, question.name(), took);
    if let Some(server) = COSTS.lock().server(space) {
        server.add(question, took);
    }
}

/// A lock of a server was lost.
pub(crate) fn lost(space: u64) {
    #[cfg(feature = "metrics")]
    facade::lost(space);
    if let Some(server) = COSTS.lock().server(space) {
        server.lost += 1;
    }
}

/// There was a deadlock, or there may be one.
pub(crate) fn deadlocked(is_certain: bool) {
    #[cfg(feature = "metrics")]
    facade::deadlocked(is_certain);
    let mut costs = COSTS.lock();
    if is_certain {
        costs.certain_deadlocks += 1;
    } else {
        costs.suspected_deadlocks += 1;
    }
}

/// Locks are taken in two orders.
pub(crate) fn misordered() {
    #[cfg(feature = "metrics")]
    facade::misordered();
    COSTS.lock().misorders += 1;
}

/// There was no room for so many holds and waits of a recording, or orders of locks.
pub(crate) fn dropped(count: u64) {
    COSTS.lock().dropped += count;
}

/// What there is so far.
pub(crate) fn copy() -> Costs {
    let mut costs = COSTS.lock();
    costs.begin();
    costs.clone()
}

impl Costs {
    const fn new() -> Self {
        Self {
            since: None,
            spaces: OrderedMap::new(),
            servers: OrderedMap::new(),
            pairs: OrderedMap::new(),
            keys: Keys::new(),
            refused: OrderedMap::new(),
            long_holds: OrderedMap::new(),
            certain_deadlocks: 0,
            suspected_deadlocks: 0,
            misorders: 0,
            dropped: 0,
        }
    }

    /// For how long it has been counted.
    pub(crate) fn lasted(&self) -> Duration {
        let since = self.since.unwrap_or_else(nanoseconds);
        Duration::from_nanos(nanoseconds().saturating_sub(since))
    }

    /// What has come since an earlier copy, of waits and whom they were blamed on.
    #[cfg(all(feature = "inspect", unix))]
    pub(crate) fn since(mut self, before: &Self, at: u64) -> Self {
        for (pair, cost) in self.pairs.iter_mut() {
            *cost = cost.without(before.pairs.get(pair).copied().unwrap_or_default());
        }
        self.pairs.retain(|_, cost| *cost != Cost::default());
        self.keys = self.keys.since(&before.keys);
        self.since = Some(at);
        self
    }

    fn begin(&mut self) {
        self.since.get_or_insert_with(nanoseconds);
    }

    fn space(&mut self, space: u64) -> Option<&mut CostOfSpace> {
        self.begin();
        row(&mut self.spaces, space, &mut self.dropped)
    }

    fn server(&mut self, space: u64) -> Option<&mut CostOfServer> {
        self.begin();
        row(&mut self.servers, space, &mut self.dropped)
    }

    fn count(&mut self, of: impl Fn(&mut Self) -> &mut OrderedMap<Place, u64>, place: Place) {
        self.begin();
        let mut dropped = 0;
        if let Some(count) = row(of(self), place, &mut dropped) {
            *count += 1;
        }
        self.dropped += dropped;
    }
}

/// The row of a table, which is made if there is room; else it is counted that there is none.
fn row<'a, K: Ranked, V: Default>(
    table: &'a mut OrderedMap<K, V>,
    key: K,
    dropped: &mut u64,
) -> Option<&'a mut V> {
    if table.len() >= MOST && !table.contains_key(&key) {
        *dropped += 1;
        return None;
    }
    Some(table.get_or_default(key))
}

impl CostOfSpace {
    /// How long the waits took that ended so.
    pub(crate) const fn waits(&self, outcome: Outcome) -> &Histogram {
        &self.waits[outcome as usize]
    }
}

impl Default for CostOfSpace {
    fn default() -> Self {
        Self {
            waits: [Histogram::NEW; Outcome::ALL.len()],
            hand_overs: Histogram::NEW,
            spins: 0,
        }
    }
}

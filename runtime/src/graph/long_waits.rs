//! Tells those who listen of waits that last, and of waiters that don't come for their lock.
//!
//! A thread looks four times a second. It is started by a wait that somebody listens to, and ends
//! when there has been none for ten seconds. It goes through the waits in the order in which they
//! began, each once, and keeps those that it has told of until it is time to tell of them again: so
//! a look costs no more than what it tells of. Waits outside of the process are looked at each time: there
//! are no more of them than locks.

use super::judge::{GRAPH, Graph};
use crate::observe::listen::listeners;
use crate::observe::tell;
use crate::ordered::{OrderedMap, Ranked};
use crate::outside::asking;
use crate::owner::Owner;
use crate::sync::Ordering;
use crate::sync::ambient::AtomicU64;
use crate::table::moment::Moment;
use crate::table::place::{Place, Ticket};
use crate::table::{self, looks};
use crate::worker;
use std::mem;
use std::thread;
use std::time::Duration;

/// From when on a wait is long.
const LONG: Duration = Duration::from_secs(1);

const TICK: Duration = Duration::from_millis(250);

/// After so many looks at nobody the thread ends.
const IDLE: u32 = 40;

/// When a thread has looked last, in nanoseconds of [`Moment`]; 0 if there is none. One that hasn't
/// for some seconds isn't there any more, as in the child of a fork.
static LOOKED: AtomicU64 = AtomicU64::new(0);

/// The number of the latest thread. Another one that was only slow, since who is told was, ends then.
static LATEST: AtomicU64 = AtomicU64::new(0);

const GONE: u64 = 5_000_000_000;

/// What the thread keeps from one look to the next.
#[derive(Default)]
struct Watch {
    /// The number from which on waits haven't been looked at.
    next: u64,
    /// Waits that were told of, by when they are to be told of again, and by number.
    told: OrderedMap<Due, Told>,
    /// Waiters that didn't come, and for how long that was when it was told.
    absent: OrderedMap<Place, Duration>,
    /// Waits outside that were told of: when they began, and for how long that was.
    outside: OrderedMap<(u64, Ticket), (Moment, Duration)>,
}

/// When it is to be told of a wait again, and its number.
#[derive(Clone, Copy)]
struct Due(Moment, u64);

impl Ranked for Due {
    fn rank(self) -> [u64; 4] {
        [self.0.nanoseconds(), self.1, 0, 0]
    }
}

struct Told {
    owner: Owner,
    place: Place,
    since: Moment,
    ahead: usize,
}

/// Sees to it that the thread runs. To be called when the wait is in the graph, or among those
/// outside of the process.
pub(crate) fn watch(now: Moment) {
    if cfg!(all(test, loom)) {
        return; // No second goes by in a model.
    }
    let now = now.nanoseconds();
    // Relaxed: what the thread looks at is under the graph's mutex. If it ended before this wait was
    // in the graph, it is seen here by that; and by the other mutex, of a wait outside.
    let looked = LOOKED.load(Ordering::Relaxed);
    if looked != 0 && now.saturating_sub(looked) < GONE {
        return;
    }
    let claim = LOOKED.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed);
    if claim.is_err() {
        return;
    }
    let number = LATEST.fetch_add(1, Ordering::Relaxed) + 1;
    let run = Box::new(move || run(number));
    if worker::start("lockutils-long-waits", None, run).is_err() {
        LOOKED.store(0, Ordering::Relaxed); // The next wait tries again.
    }
}

fn run(number: u64) {
    let mut watch = Watch::default();
    let mut idle = 0;
    loop {
        thread::sleep(TICK);
        if LATEST.load(Ordering::Relaxed) != number {
            return;
        }
        let now = Moment::now();
        LOOKED.store(now.nanoseconds(), Ordering::Relaxed);
        watch.tell_of_long_waits(now);
        watch.tell_of_absent(now);
        watch.tell_of_waits_outside(now);
        idle = if watch.is_idle() { idle + 1 } else { 0 };
        if idle >= IDLE && end() {
            return;
        }
    }
}

/// Whether nobody waits; then the thread has ended.
fn end() -> bool {
    let graph = GRAPH.lock();
    let is_idle = graph.waits.by_age.is_empty();
    let ends = || LOOKED.store(0, Ordering::Relaxed);
    is_idle && asking::end_if_untold(ends)
}

impl Watch {
    fn is_idle(&self) -> bool {
        let is_told = !self.told.is_empty() || !self.absent.is_empty();
        !is_told && GRAPH.lock().waits.by_age.is_empty() && asking::told().is_empty()
    }

    fn tell_of_long_waits(&mut self, now: Moment) {
        let mut due = self.find_long(&GRAPH.lock(), now);
        while let Some((Due(at, number), _)) = self.told.first_key_value() {
            let number = *number;
            if *at > now {
                break;
            }
            due.extend(self.told.remove_first().map(|told| (number, told)));
        }
        for (number, told) in due {
            LOOKED.store(Moment::now().nanoseconds(), Ordering::Relaxed);
            let Told {
                owner,
                place,
                since,
                ahead,
            } = told;
            if !mark_long(owner, place, number) {
                continue;
            }
            let listeners = listeners();
            let watched = table::look(place.entry, |entry| {
                entry.is_queued(place.ticket)?;
                entry.watch(place, ahead, listeners)
            });
            let time = since.until(now);
            if let Some(watched) = watched.flatten() {
                tell::long_wait(&watched, time);
            }
            self.told.insert(Due(now.after(time), number), told);
        }
    }

    /// Waits that have become long since the last look.
    fn find_long(&mut self, graph: &Graph, now: Moment) -> Vec<(u64, Told)> {
        let mut found = Vec::new();
        for (number, &(owner, place)) in graph.waits.by_age.since(self.next) {
            let wait = graph.waits.get(owner, place);
            if let Some(watched) = wait.and_then(|wait| wait.watched.as_deref()) {
                if watched.since.until(now) < LONG {
                    break;
                }
                let told = Told {
                    owner,
                    place,
                    since: watched.since,
                    ahead: watched.details.ahead,
                };
                found.push((*number, told));
            }
            self.next = number + 1;
        }
        found
    }

    fn tell_of_waits_outside(&mut self, now: Moment) {
        let waits = asking::told();
        let before = mem::take(&mut self.outside);
        for (id, wait) in waits {
            let time = wait.since.until(now);
            let told = before.get(&id).filter(|(since, _)| *since == wait.since);
            let due = told.map_or(LONG, |(_, told)| *told * 2);
            if time >= due {
                wait.tell_long(time);
                self.outside.insert(id, (wait.since, time));
            } else if let Some(told) = told {
                self.outside.insert(id, *told);
            }
        }
    }

    fn tell_of_absent(&mut self, now: Moment) {
        let absent = looks::absent(now, LONG);
        self.absent.retain(|place, _| {
            let is_there = |one: &(Place, Duration)| one.0 == *place;
            absent.iter().any(is_there)
        });
        for (place, time) in absent {
            let told = self.absent.get(&place);
            if told.is_some_and(|told| time < *told * 2) {
                continue;
            }
            self.absent.insert(place, time);
            let listeners = listeners();
            let watched = table::look(place.entry, |entry| entry.watch(place, 0, listeners));
            if let Some(watched) = watched.flatten() {
                tell::not_polled(&watched, time);
            }
        }
    }
}

/// Notes that it is told of a wait; false if it is over.
fn mark_long(owner: Owner, place: Place, number: u64) -> bool {
    let mut graph = GRAPH.lock();
    let wait = graph.waits.get_mut(owner, place);
    let wait = wait.filter(|wait| wait.number == number);
    let Some(watched) = wait.and_then(|wait| wait.watched.as_mut()) else {
        return false;
    };
    watched.was_long = true;
    true
}

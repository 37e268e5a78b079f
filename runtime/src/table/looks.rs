//! Looking at locks without taking them: at one, or at all.

use super::charges::Charges;
use super::entries::hash_of;
use super::entry::Entry;
use super::entry::look::{Contended, GoingOn, Held, Shows};
use super::identity::name_of;
use super::moment::{Moment, Times};
use super::party::Party;
use super::place::{EntryId, Place, Ticket};
use super::policy::Terms;
use super::sample::Sample;
use super::shard::{InShard, Inflated, SHARD, SHARDS, Shard, shards};
use super::{Name, Newcomer, look, try_reenter};
use crate::costs;
use crate::holder::{Holder, Sought};
use crate::key::Key;
use crate::ordered::{OrderedSet, sort};
use crate::site::Record;
use crate::state::LockState;
#[cfg(feature = "file")]
use crate::state::QUEUE;
use std::time::Duration;

/// Whether somebody holds the lock.
pub(crate) fn is_held(name: Name<'_>) -> bool {
    let mut inflated = Inflated::at(name.hash);
    let entry = inflated.find(name);
    entry.is_some_and(|entry| entry.holder_count() > 0)
}

/// Takes the lock if it has room; else tells who is in the way.
pub(crate) fn try_take(
    name: Name<'_>,
    terms: Terms,
    record: Record,
) -> Result<Newcomer, Option<Sought>> {
    if let Some(word) = try_reenter(name, terms, record) {
        return Ok(Newcomer::again(word));
    }
    let mut inflated = Inflated::at(name.hash);
    let party = match inflated.try_take(name, terms, record) {
        Ok(taken) => return Ok(Newcomer::begin(inflated, taken)),
        Err(entry) => entry.in_the_way(id_of(name.hash, entry), None),
    };
    // Before the mutex is free, and so the holder, whose thread may then end.
    Err(party.map(Party::seek_now))
}

/// The lock that a waiter is kept from, and by whom. `None` if the waiter isn't in the queue any
/// more: then it holds the lock itself.
pub(crate) fn awaited_from(place: Place) -> Option<(&'static str, Key, Option<Holder>)> {
    let mut inflated = Inflated::at(place.entry.hash);
    let entry = inflated.waited_for(place.entry);
    entry.wait(place.ticket, |_, _| false)?;
    let (space, key) = entry.name();
    let party = entry.in_the_way(place.entry, Some(place.ticket));
    Some((space, key, party.map(|party| party.seek_now().find())))
}

/// A holder or a waiter, if it is still there.
pub(crate) fn who(place: Place) -> Option<Holder> {
    let party = look(place.entry, |entry| entry.who(place))??;
    Some(party.seek_now().find())
}

/// The holders of a lock.
#[cfg(feature = "file")]
pub(crate) fn holders_of(name: Name<'_>) -> Vec<Party> {
    let mut inflated = Inflated::at(name.hash);
    let entry = inflated.find(name);
    entry.map_or_else(Vec::new, |entry| {
        entry.parties(id_of(name.hash, entry)).collect()
    })
}

/// The state of a lock that somebody holds or awaits.
#[cfg(feature = "file")]
pub(crate) fn state(name: Name<'_>, suspected: &OrderedSet<EntryId>) -> Option<LockState> {
    let mut inflated = Inflated::at(name.hash);
    let entry = inflated.find(name)?;
    let id = id_of(name.hash, entry);
    let shows = Shows {
        suspected: suspected.contains_key(&id),
        queue: QUEUE,
        asks: &|_| None,
    };
    Some(entry.state(id, &shows, Moment::now()))
}

/// A hold of one lock.
pub(crate) struct HoldOf {
    /// The number of the space.
    pub(crate) space: u64,
    pub(crate) key: Key,
    pub(crate) party: Party,
}

/// What a hold is of, and whose it is, by its [id](super::Hold::id); `None` if it has ended.
pub(crate) fn hold((hash, ticket): (u64, Ticket)) -> Option<HoldOf> {
    let mut inflated = Inflated::at(hash);
    let entry = inflated.find_hold(hash, ticket)?;
    let id = id_of(hash, entry);
    let mut parties = entry.parties(id);
    let party = parties.find(|party| party.place.ticket == ticket)?;
    let (space, key) = (entry.space, entry.key());
    Some(HoldOf { space, key, party })
}

/// A hold, which was that of a line, begins now to be one of the lock.
pub(crate) fn begin_hold((hash, ticket): (u64, Ticket)) {
    if let Some(entry) = Inflated::at(hash).find_hold(hash, ticket) {
        entry.begin_hold(ticket, Moment::now());
    }
}

/// What is seen in a look at all locks.
#[derive(Default)]
pub(crate) struct Seen {
    /// The locks that are held or awaited, those first that most wait for. With what somebody asks
    /// for outside of the process comes the hold by which.
    pub(crate) locks: Vec<(LockState, Option<(u64, Ticket)>)>,
    /// How many more locks there are, which nobody waits for, or fewer than for those that are here.
    pub(crate) left_off: usize,
    /// How many waiters there are.
    pub(crate) waiters: usize,
}

impl Seen {
    /// Leaves off all but those that most wait for.
    fn keep(&mut self, most: usize) {
        let need = |lock: &LockState| (lock.waiters, lock.waited);
        sort(&mut self.locks, |(one, _), (other, _)| {
            need(other).cmp(&need(one))
        });
        self.left_off += self.locks.len().saturating_sub(most);
        self.locks.truncate(most);
    }
}

/// The locks that are held or awaited, of which some are suspected to be part of a deadlock: at most
/// so many, with so many of their waiters. `asking` says since when a hold, by its hash, asks for a
/// lock outside of the process.
pub(crate) fn states(
    (most, queue): (usize, usize),
    suspected: &OrderedSet<EntryId>,
    asking: &dyn Fn(u64, Ticket) -> Option<Times>,
) -> Seen {
    let mut seen = Seen::default();
    look_at_all(&mut |entry, id, now| {
        let (mut asked, mut waiters) = (None, entry.queue_length());
        for ticket in entry.tickets() {
            if asking(id.hash, ticket).is_some() {
                (asked, waiters) = (Some((id.hash, ticket)), waiters + 1);
            }
        }
        seen.waiters += waiters;
        if waiters == 0 && seen.locks.len() >= most {
            seen.left_off += 1;
            return;
        }
        let shows = Shows {
            suspected: suspected.contains_key(&id),
            queue,
            asks: &|ticket| asking(id.hash, ticket),
        };
        seen.locks.push((entry.state(id, &shows, now), asked));
        if seen.locks.len() >= most.saturating_mul(2) {
            seen.keep(most);
        }
    });
    seen.keep(most);
    seen
}

/// The locks that somebody waits for, in the process or with one of these holds, by hash, outside
/// of it; and those of the space and the key that are wanted beside, if somebody holds them.
pub(crate) fn contended(
    asking: &dyn Fn(u64, Ticket) -> bool,
    wanted: Option<(&str, &str)>,
) -> Vec<Contended> {
    let mut found = Vec::new();
    look_at_all(&mut |entry, id, _| {
        let is_wanted = wanted.is_some_and(|(space, key)| {
            entry.text == *key.as_bytes() && name_of(entry.space) == space
        });
        found.extend(entry.contended(id, |holders| {
            let mut asks = holders.iter();
            let asks = asks.any(|holder| asking(id.hash, holder.place.ticket));
            asks || is_wanted && !holders.is_empty()
        }));
    });
    found
}

/// The waiters that could have had their lock for so long, and haven't come for it.
pub(crate) fn absent(now: Moment, over: Duration) -> Vec<(Place, Duration)> {
    let mut found = Vec::new();
    for Shard { entries, .. } in shards() {
        let mut entries = entries.lock();
        for entry in entries.table.iter_mut() {
            found.extend(entry.absent(id_of(hash_of(entry), entry), now, over));
        }
    }
    found
}

/// Those who wait for a lock.
pub(crate) struct Queue {
    /// The number of the space.
    pub(crate) space: u64,
    pub(crate) waiters: usize,
    pub(crate) oldest: Duration,
}

/// All queues. Those who are in one are charged for what they have waited so far, and all that waits have
/// come to by now is written down.
pub(crate) fn queues() -> Vec<Queue> {
    let mut found = Vec::new();
    for Shard { entries, .. } in shards() {
        let mut charges = Vec::new();
        let mut entries = entries.lock();
        let now = Moment::now();
        let InShard { table, tally, .. } = &mut *entries;
        for entry in table.iter_mut() {
            if let Some(oldest) = entry.oldest_wait(now) {
                found.push(Queue {
                    space: entry.space,
                    waiters: entry.queue_length(),
                    oldest,
                });
                entry.charge_until_now();
            }
            // Also where all who have waited have been handed the lock, and not come.
            if entry.is_blamed() {
                let mut charge = Charges::default();
                charge.tell(entry, true);
                charge.take_all(hash_of(entry), entry, tally);
                charges.push(charge);
            }
        }
        let accounts = tally.take();
        drop(entries); // Before that is written down.
        drop(charges);
        accounts.iter().for_each(costs::post);
    }
    found
}

/// Has the [recorder](crate::timeline::recorder) have all that is over by now.
pub(crate) fn hand_on() {
    for Shard { entries, .. } in shards() {
        entries.lock().hand_on();
    }
}

/// Says of each lock of the sample that somebody waits for, by the number of its space and its key, who has it
/// and who is in the queue. With the mutex of its shard, of which the recorder has by then what is over.
pub(crate) fn going_on(
    sample: Sample,
    of: &dyn Fn(&Entry) -> bool,
    say: &mut dyn FnMut((u64, &Key), GoingOn),
) {
    for Shard { entries, .. } in shards() {
        let mut entries = entries.lock();
        entries.hand_on();
        for entry in entries.table.iter() {
            if of(entry) && sample.has_hash(hash_of(entry)) {
                let key = entry.key();
                entry.going_on(&mut |one| say((entry.space, &key), one));
            }
        }
    }
}

/// How many holders each lock has, by the number of its space.
pub(crate) fn holders() -> Vec<(u64, usize)> {
    let mut found = Vec::new();
    look_at_all(&mut |entry, _, _| found.push((entry.space, entry.holder_count())));
    found
}

/// The locks that have been held for so long at least.
pub(crate) fn held(over: Duration) -> Vec<Held> {
    let mut found = Vec::new();
    look_at_all(&mut |entry, id, now| entry.held(id, now, over, &mut found));
    found
}

/// Looks at all entries, a part of them at a time.
fn look_at_all(look: &mut dyn FnMut(&mut Entry, EntryId, Moment)) {
    for shard in 0..SHARDS {
        let mut inflated = Inflated::of(shard * SHARD..(shard + 1) * SHARD);
        let entries = &mut inflated.entries.table;
        if entries.is_empty() {
            continue;
        }
        let now = Moment::now();
        for entry in entries.iter_mut() {
            let id = id_of(hash_of(entry), entry);
            look(entry, id, now);
        }
    }
}

const fn id_of(hash: u64, entry: &Entry) -> EntryId {
    let number = entry.number;
    EntryId { hash, number }
}

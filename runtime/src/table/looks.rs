//! Looking at locks without taking them: at one, or at all.

use super::entry::Entry;
use super::entry::look::Contended;
use super::moment::Moment;
use super::place::{EntryId, Place, Ticket};
use super::{Inflated, Name, SHARD, SHARDS, look, rehash};
use crate::holder::Holder;
use crate::key::Key;
use crate::ordered::OrderedSet;
use crate::state::LockState;

/// Whether somebody holds the lock.
pub(crate) fn is_held(name: Name<'_>) -> bool {
    let mut inflated = Inflated::at(name.hash);
    let entry = inflated.find(name);
    entry.is_some_and(|entry| entry.holder_count() > 0)
}

/// Who is in the way of somebody who wants the lock now.
pub(crate) fn in_the_way(name: Name<'_>) -> Option<Holder> {
    let mut inflated = Inflated::at(name.hash);
    let entry = inflated.find(name)?;
    let party = entry.in_the_way(id_of(name.hash, entry), None)?;
    Some(party.show(Moment::now()))
}

/// The lock that a waiter is kept from, and by whom. `None` if the waiter isn't in the queue any
/// more: then it holds the lock itself.
pub(crate) fn awaited_from(place: Place) -> Option<(&'static str, Key, Option<Holder>)> {
    let mut inflated = Inflated::at(place.entry.hash);
    let entry = inflated.waited_for(place.entry);
    entry.wait(place.ticket, |_, _| false)?;
    let (space, key) = entry.name();
    let party = entry.in_the_way(place.entry, Some(place.ticket));
    Some((space, key, party.map(|party| party.show(Moment::now()))))
}

/// A holder or a waiter, if it is still there.
pub(crate) fn who(place: Place) -> Option<Holder> {
    let party = look(place.entry, |entry| entry.who(place))??;
    Some(party.show(Moment::now()))
}

/// The state of a lock that somebody holds or awaits.
pub(crate) fn state(name: Name<'_>, suspected: &OrderedSet<EntryId>) -> Option<LockState> {
    let mut inflated = Inflated::at(name.hash);
    let entry = inflated.find(name)?;
    let id = id_of(name.hash, entry);
    Some(entry.state(id, suspected.contains_key(&id), Moment::now()))
}

/// The locks that are held or awaited, of which some are suspected to be part of a deadlock.
pub(crate) fn states(suspected: &OrderedSet<EntryId>) -> Vec<LockState> {
    look_at_all(|entry, id, now| Some(entry.state(id, suspected.contains_key(&id), now)))
}

/// The locks that somebody waits for, in the process or with one of these holds, by hash, outside
/// of it.
pub(crate) fn contended(asking: impl Fn(u64, Ticket) -> bool) -> Vec<Contended> {
    look_at_all(|entry, id, _| {
        entry.contended(id, |holders| {
            let mut holders = holders.iter();
            holders.any(|holder| asking(id.hash, holder.place.ticket))
        })
    })
}

/// Looks at all entries, a part of them at a time.
fn look_at_all<R>(look: impl Fn(&mut Entry, EntryId, Moment) -> Option<R>) -> Vec<R> {
    let mut found = Vec::new();
    for shard in 0..SHARDS {
        let mut inflated = Inflated::of(shard * SHARD..(shard + 1) * SHARD);
        let entries = &mut inflated.entries.table;
        if entries.is_empty() {
            continue;
        }
        let now = Moment::now();
        found.extend(entries.iter_mut().filter_map(|entry| {
            let id = id_of(rehash(entry), entry);
            look(entry, id, now)
        }));
    }
    found
}

const fn id_of(hash: u64, entry: &Entry) -> EntryId {
    let number = entry.number;
    EntryId { hash, number }
}

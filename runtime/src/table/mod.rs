//! The registry of the process: where a key's lock is.
//!
//! A key's hash, seeded anew in each process, picks one of a fixed number of
//! buckets. A bucket has the fast path in it; what goes beyond is an entry, in a
//! hash table under the mutex of the bucket's shard, where locks are found by the
//! whole key. So keys whose hashes are alike share a bucket, or a mutex for a few
//! instructions, and never a lock.

mod ahead;
mod ajar;
mod blame;
pub(crate) mod bucket;
mod charges;
pub(crate) mod crowd;
pub(crate) mod ears;
mod entries;
pub(crate) mod entry;
pub(crate) mod exact;
pub(crate) mod fast;
mod few;
pub(crate) mod hash;
pub(crate) mod identity;
pub(crate) mod kept;
pub(crate) mod looks;
#[cfg(all(test, loom))]
mod models;
pub(crate) mod moment;
mod name;
mod occupant;
mod packed;
pub(crate) mod party;
pub(crate) mod place;
pub(crate) mod policy;
mod record;
pub(crate) mod sample;
mod shard;
mod slot;
pub(crate) mod waits;
mod wakers;
pub(crate) mod watched;
mod word;

use crate::name::Taken;
use crate::observe::listen::listeners;
use crate::observe::outcome::Outcome;
use crate::owner::Owner;
use crate::site::Record;
use crate::timer::Left;
use bucket::{BUCKETS, Joiner};
use charges::Charges;
use entry::{Entry, Retried};
use few::Few;
use identity::name_part;
use moment::Moment;
pub(crate) use name::{Name, SHORT, SpaceId};
use place::{EntryId, Place, Ticket};
use policy::{Reentry, Terms};
use record::Kind;
#[cfg(all(test, loom))]
pub(crate) use shard::is_empty;
use shard::{Inflated, SLOTS, TABLE, bucket, is_of_hold, slots};
use std::iter;
use std::task::Waker;
use wakers::Wakers;
use watched::{Heard, Queued};
pub(crate) use word::{hash, hash_uuid};

/// A lock that is held, or a few; dropping it releases. In two words, which fit into registers:
///
/// | word | ticket | |
/// |---|---|---|
/// | that of the [hold](word) | [`Ticket::FIRST`] | a lock taken by its bucket alone, of which the word says the hash and the ticket; there is one of each ticket in a bucket, also when it has become an entry |
/// | the lock's hash | another | a lock whose entry is found by the ticket |
/// | see [`few`] | see [`few`] | up to [`MOST`] locks, each taken by its bucket alone |
pub struct Hold {
    word: u64,
    ticket: Ticket,
}

const _: () = assert!(BUCKETS <= Few::BUCKETS, "an index has to fit in");

/// How many locks [`fast::try_take_few`] takes.
pub(crate) const MOST: usize = Few::MOST;

impl Hold {
    /// What [`fast::try_take_thin`] has taken.
    #[inline]
    pub(crate) const fn thin(word: u64) -> Self {
        let ticket = Ticket::FIRST;
        Self { word, ticket }
    }

    /// What no other hold has: the hash and the ticket, if it is of one lock.
    pub(crate) fn id(&self) -> (u64, Ticket) {
        match self.ticket {
            Ticket::FIRST => word::hold(self.word),
            ticket => (self.word, ticket),
        }
    }

    /// That of a holder which has, or had, an entry.
    fn at(Place { entry, ticket }: Place) -> Self {
        match ticket.slot() {
            Some(slot) => Self::thin(word::of_slot(entry.hash, slot)),
            None => Self {
                word: entry.hash,
                ticket,
            },
        }
    }

    /// The locks, if there are several.
    const fn few(&self) -> Option<Few> {
        Few::of(self.word, self.ticket)
    }
}

impl Drop for Hold {
    #[inline]
    fn drop(&mut self) {
        // Three calls, of which the compiler makes three branches, and not one on two conditions.
        let Self { word, ticket } = *self;
        if ticket != Ticket::FIRST {
            release_slowly(word, ticket);
        } else if !word::has_exchange(word) {
            release_of_bucket(word);
        } else if !bucket(word).release(word) {
            release_slowly(word, ticket);
        }
    }
}

/// A hold, and since when it is one, if somebody listens.
pub(crate) type Taking = (Hold, Option<Moment>);

/// Joins those who hold the lock by its bucket alone; or goes in again, where the thread does so and has
/// said that it may. Gives the word of the hold.
pub(crate) fn try_join(name: Name<'_>, kind: Kind, reenters: bool, record: Record) -> Option<u64> {
    let Name { hash, space, text } = name;
    let joiner = Joiner {
        hash,
        space: space.number,
        text,
        kind,
        reenters,
        record,
    };
    bucket(hash).try_join(slots(hash), &joiner)
}

/// Goes in again where the thread holds the lock by its bucket alone. Gives the word of the hold.
pub(crate) fn try_reenter(name: Name<'_>, terms: Terms, record: Record) -> Option<u64> {
    if terms.reentry == Reentry::Refused {
        return None;
    }
    let kind = Kind::new(terms.mode, name.space.policy.permits);
    try_join(name, kind, true, record)
}

/// Has the memory come that is needed next, if the lock is one of many in its bucket. For who is about to look for its
/// entry. Not in a model, where there is nothing to be seen of it.
pub(crate) fn look_ahead(name: Name<'_>) {
    if !cfg!(all(test, loom)) && bucket(name.hash).is_crowded() {
        shard::look_ahead(name.hash);
    }
}

/// What somebody has who didn't wait.
pub(crate) struct Newcomer {
    pub(crate) hold: Hold,
    /// Whether others wait for the lock.
    pub(crate) overtakes: bool,
}

impl Newcomer {
    /// One that goes in again, where it has the lock by the bucket alone. So nobody waits, or who was called sees it.
    const fn again(word: u64) -> Self {
        Self {
            hold: Hold::thin(word),
            overtakes: false,
        }
    }

    /// One that has just taken the lock. If it has a ticket of the bucket, it has the lock by the bucket alone, or
    /// will have.
    fn begin(mut inflated: Inflated, (place, overtakes): (Place, bool)) -> Self {
        if place.ticket.is_of_bucket() {
            inflated.rest(place.entry.hash);
        }
        Self {
            hold: Hold::at(place),
            overtakes,
        }
    }
}

/// Takes the lock if it has room.
pub(crate) fn try_take(name: Name<'_>, terms: Terms, record: Record) -> Option<Newcomer> {
    if let Some(word) = try_reenter(name, terms, record) {
        return Some(Newcomer::again(word));
    }
    let mut inflated = Inflated::at(name.hash);
    let taken = inflated.try_take(name, terms, record).ok()?;
    Some(Newcomer::begin(inflated, taken))
}

/// Takes the lock, or joins the end of its queue. Who gives up has so much time `left`.
pub(crate) fn take_or_queue(
    name: Name<'_>,
    terms: Terms,
    record: Record,
    waker: Waker,
    left: Option<Left>,
) -> Result<Newcomer, Queued> {
    let listeners = listeners(); // Not with the mutex: it asks foreign code.
    let mut inflated = Inflated::at(name.hash);
    let entry = match inflated.try_take(name, terms, record) {
        Ok(taken) => return Ok(Newcomer::begin(inflated, taken)),
        Err(entry) => entry,
    };
    let ahead = entry.queue_length();
    let is_heard = !listeners.is_none();
    let (ticket, since) = entry.enqueue(terms.mode, record, (waker, left), is_heard);
    let (hash, number) = (name.hash, entry.number);
    let id = EntryId { hash, number };
    let place = Place { entry: id, ticket };
    let watched = entry.watch(place, ahead, listeners);
    drop(inflated);
    let space = name_part(name.space.number);
    Err(Queued {
        place,
        heard: is_heard.then_some(Heard { space, since }),
        watched,
    })
}

/// What a waiter's next try has come to.
pub(crate) struct Retry {
    /// What it has, if it waits no more.
    pub(crate) taken: Option<Taking>,
    /// The tasks that may have taken the lock before it came, without having been looked at, see [`ajar`].
    pub(crate) overtakers: Vec<Owner>,
}

/// A waiter's next try, who is `heard` of since it has waited if somebody listens to it: takes the lock, or
/// leaves `waker` in the queue.
pub(crate) fn retry(place: Place, owner: Owner, heard: Option<Moment>, waker: Waker) -> Retry {
    let mut charges = Charges::default();
    let (mut wakers, mut waker) = (Wakers::default(), Some(waker));
    let mut inflated = Inflated::at(place.entry.hash);
    let EntryId { hash, number } = place.entry;
    let entry = inflated.get(hash, |entry| entry.number == number);
    let retried = entry.retry(place.ticket, owner, heard, &mut waker, &mut wakers);
    charges.tell(entry, false);
    Retry {
        taken: match retried {
            Retried::Taken(at) => Some((Hold::at(place), at)),
            Retried::Queued => None,
        },
        overtakers: if owner.is_thread() {
            entry.thin_tasks()
        } else {
            Vec::new()
        },
    }
}

/// What a hold is of, for people. Several locks are in the order in which others wait for them,
/// and not in that in which they happened to be taken.
pub(crate) fn taken(hold: &Hold) -> Vec<Taken> {
    let taken = |(hash, ticket)| describe(hash, ticket, |entry| is_of_hold(entry, hash, ticket));
    let mut locks: Vec<_> = each(hold).filter_map(taken).collect();
    crate::ordered::sort(&mut locks, |one, next| one.key.cmp(&next.key));
    locks
}

/// The same of a waiter.
pub(crate) fn awaited(Place { entry: id, ticket }: Place) -> Option<Taken> {
    describe(id.hash, ticket, |entry| entry.number == id.number)
}

/// Not with the mutex: what is done with it runs foreign code.
fn describe(hash: u64, ticket: Ticket, is_it: impl Fn(&Entry) -> bool) -> Option<Taken> {
    let mut inflated = Inflated::at(hash);
    let table = &mut inflated.entries.table;
    let entry = table.find(hash, is_it)?;
    let (space, key) = entry.name();
    let site = entry.site_of(ticket)?;
    Some(Taken { space, key, site })
}

/// Clears the owner of a hold: its guard may be dropped by any thread.
pub(crate) fn disown(hold: &Hold) {
    for (hash, ticket) in each(hold) {
        let mut inflated = Inflated::at(hash);
        let entry = inflated.get(hash, |entry| is_of_hold(entry, hash, ticket));
        entry.disown(ticket);
        if ticket.is_of_bucket() {
            bucket(hash).disown(slots(hash), ticket);
        }
    }
}

/// The hash and the ticket of each lock of a hold.
fn each(hold: &Hold) -> impl Iterator<Item = (u64, Ticket)> {
    let mut few = hold.few();
    let mut one = few.is_none().then(|| hold.id());
    iter::from_fn(move || match &mut few {
        Some(few) => few.pop().map(|index| (own_hash(index), Ticket::FIRST)),
        None => one.take(),
    })
}

/// The hash of the lock that the caller has taken by this bucket alone. It becomes an entry.
fn own_hash(index: usize) -> u64 {
    let inflated = Inflated::of(index..index + 1);
    let (space, key) = inflated.buckets[0].name();
    hash(space, key.as_bytes())
}

/// Ends the hold of several locks, or one that isn't thin, or no longer alone in its bucket.
#[cold]
fn release_slowly(word: u64, ticket: Ticket) {
    match Few::of(word, ticket) {
        Some(few) => release_few(few),
        None if ticket == Ticket::FIRST => release_of_bucket(word),
        None => release(word, ticket),
    }
}

/// Ends a hold that was taken by its bucket alone.
#[cold]
fn release_of_bucket(word: u64) {
    let (hash, ticket) = word::hold(word);
    if !bucket(hash).release_slot(slots(hash), ticket) {
        release(hash, ticket);
    }
}

/// Ends thin holds, the last one first. Those that are thin no longer are entries.
fn release_few(few: Few) {
    for index in few.indices() {
        let bucket = &TABLE[index];
        if !(bucket.release_first() || bucket.release_slot(&SLOTS[index], Ticket::FIRST)) {
            release(own_hash(index), Ticket::FIRST);
        }
    }
}

/// Ends a hold that has an entry.
#[cold]
fn release(hash: u64, ticket: Ticket) {
    end(
        hash,
        |entry| is_of_hold(entry, hash, ticket),
        |entry, wakers| entry.release(ticket, wakers),
    );
}

/// Gives up a place in the queue, or the lock if it was already handed over. Gives the moment, if
/// somebody listens, and those of [`Retry::overtakers`].
pub(crate) fn leave(
    Place { entry: id, ticket }: Place,
    heard: Option<Moment>,
    outcome: Outcome,
) -> (Option<Moment>, Vec<Owner>) {
    end(
        id.hash,
        |entry| entry.number == id.number,
        |entry, wakers| {
            let left = entry.leave(ticket, heard, outcome, wakers);
            (left, entry.thin_tasks())
        },
    )
}

/// Ends a hold or a wait.
fn end<R>(
    hash: u64,
    is_it: impl Fn(&Entry) -> bool,
    part: impl FnOnce(&mut Entry, &mut Wakers) -> R,
) -> R {
    let mut charges = Charges::default();
    let mut wakers = Wakers::default();
    let mut inflated = Inflated::at(hash);
    let (entry, tally) = inflated.get_with_tally(hash, is_it);
    let done = part(entry, &mut wakers);
    charges.tell(entry, false);
    charges.take(hash, entry, tally);
    if entry.is_idle() {
        let number = entry.number;
        inflated.remove(EntryId { hash, number });
    } else if !ajar::leave(hash, entry, (bucket(hash), slots(hash))) {
        inflated.rest(hash);
    }
    done
}

/// Looks at an entry, which may be gone by now.
pub(crate) fn look<R>(id: EntryId, look: impl FnOnce(&mut Entry) -> R) -> Option<R> {
    let mut inflated = Inflated::at(id.hash);
    let table = &mut inflated.entries.table;
    let entry = table.find(id.hash, |entry| entry.number == id.number)?;
    Some(look(entry))
}

/// Has a waiter that was called be called again when there is room, if it still waits.
pub(crate) fn recall(Place { entry, ticket }: Place, waker: Waker) {
    let mut waker = Some(waker);
    look(entry, |entry| entry.recall(ticket, &mut waker));
}

/// Calls a waiter to try again, if it still waits.
pub(crate) fn call(Place { entry, ticket }: Place) {
    let mut wakers = Wakers::default();
    look(entry, |entry| entry.call(ticket, &mut wakers));
}

//! The registry of the process: where a key's lock is.
//!
//! A key's hash, seeded anew in each process, picks one of a fixed number of
//! buckets. A bucket has the fast path in it; what goes beyond is an entry, in a
//! hash table under the mutex of the bucket's shard, where locks are found by the
//! whole key. So keys whose hashes are alike share a bucket, or a mutex for a few
//! instructions, and never a lock.

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
pub(crate) mod party;
pub(crate) mod place;
pub(crate) mod policy;
mod record;
pub(crate) mod sample;
mod slot;
pub(crate) mod waits;
pub(crate) mod watched;
mod word;

use crate::name::Taken;
use crate::observe::listen::listeners;
use crate::observe::outcome::Outcome;
use crate::owner::Owner;
use crate::site::Record;
use crate::sync::{Mutex, MutexGuard};
use crate::timer::Left;
use bucket::{BUCKETS, Bucket, Joiner, Written, index};
use charges::{Charges, Tally};
use ears::Ears;
use entries::Entries;
use entry::{Entry, Retried, Wakers};
use few::Few;
use hashbrown::hash_table;
use identity::{is_fair, name_part};
use moment::Moment;
pub(crate) use name::{Name, SHORT, SpaceId};
use place::{EntryId, Place, Ticket};
use policy::{Policy, Reentry, Terms};
use record::Kind;
use slot::Slots;
use std::ops::Range;
use std::task::Waker;
use watched::{Heard, Queued};
pub(crate) use word::hash;

/// Enough that threads rarely meet at one mutex.
const SHARDS: usize = if cfg!(all(test, loom)) { 2 } else { 128 };

/// How many buckets a shard has.
const SHARD: usize = BUCKETS / SHARDS;

/// The buckets, those of one shard after those of another. Not inside of the shards, so
/// that where one is takes no multiplication.
#[cfg(not(all(test, loom)))]
static TABLE: [Bucket; BUCKETS] = [const { Bucket::new() }; BUCKETS];

/// Those of each bucket.
#[cfg(not(all(test, loom)))]
static SLOTS: [Slots; BUCKETS] = [const { Slots::new() }; BUCKETS];

#[cfg(not(all(test, loom)))]
static ENTRIES: [Shard; SHARDS] = [const { Shard(Mutex::new(InShard::new())) }; SHARDS];

#[cfg(all(test, loom))]
loom::lazy_static! {
    static ref TABLE: [Bucket; BUCKETS] = std::array::from_fn(|_| Bucket::new());
    static ref SLOTS: [Slots; BUCKETS] = std::array::from_fn(|_| Slots::new());
    static ref ENTRIES: [Shard; SHARDS] =
        std::array::from_fn(|_| Shard(Mutex::new(InShard::new())));
}

/// Aligned as a bucket is.
#[repr(align(128))]
struct Shard(Mutex<InShard>);

struct InShard {
    table: Entries,
    /// Who is told of each hold, by bucket.
    ears: [Ears; SHARD],
    tally: Tally,
    /// Numbers the entries, from [`BUCKETS`] on.
    next: u64,
}

/// All of them, none of whose buckets becomes an entry by it.
fn shards() -> impl Iterator<Item = &'static Shard> {
    (0..SHARDS).map(|shard| &ENTRIES[shard])
}

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

    const fn at(place: Place) -> Self {
        Self {
            word: place.entry.hash,
            ticket: place.ticket,
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

/// Takes the lock if it has room.
pub(crate) fn try_take(name: Name<'_>, terms: Terms, record: Record) -> Option<Hold> {
    if let Some(word) = try_reenter(name, terms, record) {
        return Some(Hold::thin(word));
    }
    Inflated::at(name.hash)
        .try_take(name, terms, record)
        .ok()
        .map(Hold::at)
}

/// Takes the lock, or joins the end of its queue. Who gives up has so much time `left`.
pub(crate) fn take_or_queue(
    name: Name<'_>,
    terms: Terms,
    record: Record,
    waker: Waker,
    left: Option<Left>,
) -> Result<Hold, Queued> {
    let listeners = listeners(); // Not with the mutex: it asks foreign code.
    let mut inflated = Inflated::at(name.hash);
    let entry = match inflated.try_take(name, terms, record) {
        Ok(place) => {
            drop(inflated); // Before the waker is.
            return Ok(Hold::at(place));
        }
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

/// A waiter's next try, who is `heard` of since it has waited if somebody listens to it: takes the lock, or
/// leaves `waker` in the queue.
pub(crate) fn retry(
    place: Place,
    owner: Owner,
    heard: Option<Moment>,
    waker: Waker,
) -> Option<Taking> {
    let mut charges = Charges::default();
    let (mut wakers, mut waker) = (Wakers::default(), Some(waker));
    let mut inflated = Inflated::at(place.entry.hash);
    let EntryId { hash, number } = place.entry;
    let (entry, tally) = inflated.get_with_tally(hash, |entry| entry.number == number);
    let retried = entry.retry(place.ticket, owner, heard, &mut waker, &mut wakers);
    charges.take(hash, entry, tally);
    drop(inflated);
    match retried {
        Retried::Taken(at) => Some((Hold::at(place), at)),
        Retried::Queued => None,
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
        Inflated::at(hash)
            .get(hash, |entry| is_of_hold(entry, hash, ticket))
            .disown(ticket);
    }
}

/// The hash and the ticket of each lock of a hold.
fn each(hold: &Hold) -> impl Iterator<Item = (u64, Ticket)> {
    let few = hold.few();
    let one = few.is_none().then(|| hold.id());
    let several = few.into_iter().flat_map(Few::indices);
    one.into_iter()
        .chain(several.map(|index| (own_hash(index), Ticket::FIRST)))
}

/// The hash of the lock that the caller has taken by this bucket alone. It becomes an entry.
fn own_hash(index: usize) -> u64 {
    let inflated = Inflated::of(index..index + 1);
    let (space, key) = inflated.buckets[0].name();
    hash(space, key.as_bytes())
}

/// Whether it is the entry of this hold. There are holds with the tickets of a bucket in other
/// buckets too; any other ticket is in one entry only.
fn is_of_hold(entry: &Entry, hash: u64, ticket: Ticket) -> bool {
    if ticket.is_of_bucket() {
        entry.number == index(hash) as u64
    } else {
        entry.is_held_by(ticket)
    }
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
/// somebody listens.
pub(crate) fn leave(
    Place { entry: id, ticket }: Place,
    heard: Option<Moment>,
    outcome: Outcome,
) -> Option<Moment> {
    end(
        id.hash,
        |entry| entry.number == id.number,
        |entry, wakers| entry.leave(ticket, heard, outcome, wakers),
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
    charges.take(hash, entry, tally);
    if entry.is_idle() {
        let number = entry.number;
        inflated.remove(EntryId { hash, number });
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

/// Calls a waiter to try again, if it still waits.
pub(crate) fn call(Place { entry, ticket }: Place) {
    let mut wakers = Wakers::default();
    look(entry, |entry| entry.call(ticket, &mut wakers));
}

/// Whether no lock is held or awaited, and nothing is left of those that were.
#[cfg(all(test, loom))]
pub(crate) fn is_empty() -> bool {
    TABLE.iter().all(Bucket::is_free)
        && ENTRIES
            .iter()
            .all(|Shard(entries)| entries.lock().table.is_empty())
}

#[inline]
fn bucket(hash: u64) -> &'static Bucket {
    &TABLE[index(hash)]
}

/// Those of the bucket.
fn slots(hash: u64) -> &'static Slots {
    &SLOTS[index(hash)]
}

impl InShard {
    const fn new() -> Self {
        Self {
            table: Entries::new(),
            ears: [Ears::NONE; SHARD],
            tally: Tally::new(),
            next: BUCKETS as u64,
        }
    }
}

/// A shard's entries, locked, with some of its buckets inflated for as long.
struct Inflated {
    entries: MutexGuard<'static, InShard>,
    buckets: &'static [Bucket],
    /// Those of each of the buckets.
    slots: &'static [Slots],
}

impl Inflated {
    /// For the bucket of a hash.
    fn at(hash: u64) -> Self {
        let index = index(hash);
        Self::of(index..index + 1)
    }

    /// For some buckets of one shard.
    fn of(indices: Range<usize>) -> Self {
        let Shard(entries) = &ENTRIES[indices.start / SHARD];
        let mut inflated = Self {
            entries: entries.lock(),
            buckets: &TABLE[indices.clone()],
            slots: &SLOTS[indices],
        };
        for (bucket, slots) in inflated.buckets() {
            if let Some(written) = bucket.reserve(slots) {
                let Written {
                    space, key, mode, ..
                } = written;
                let hash = hash(space, key.as_bytes());
                let policy = Policy {
                    permits: written.permits,
                    fair: is_fair(space),
                };
                let number = index(hash) as u64;
                let mut holders = written.holders.into_iter().flatten();
                let Some(first) = holders.next() else {
                    bucket.unreserve(slots);
                    continue;
                };
                let mut entry = Entry::new(number, space, key, policy, mode, first);
                holders.for_each(|(ticket, record)| entry.held_again(ticket, record));
                inflated.entries.table.insert(hash, entry);
            }
        }
        inflated
    }

    /// The buckets, each with its slots.
    fn buckets(&self) -> impl Iterator<Item = (&'static Bucket, &'static Slots)> + use<> {
        self.buckets.iter().zip(self.slots)
    }

    fn find(&mut self, name: Name<'_>) -> Option<&mut Entry> {
        let table = &mut self.entries.table;
        table.find(name.hash, |entry| name.is_of(entry))
    }

    fn find_hold(&mut self, hash: u64, ticket: Ticket) -> Option<&mut Entry> {
        let table = &mut self.entries.table;
        table.find(hash, |entry| is_of_hold(entry, hash, ticket))
    }

    /// The entry of a lock that the caller holds or awaits.
    fn get(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> &mut Entry {
        self.get_with_tally(hash, is_it).0
    }

    /// The same, with what waits for the shard's locks have come to.
    fn get_with_tally(
        &mut self,
        hash: u64,
        is_it: impl Fn(&Entry) -> bool,
    ) -> (&mut Entry, &mut Tally) {
        let InShard { table, tally, .. } = &mut *self.entries;
        let entry = table.find(hash, is_it);
        let entry = entry.expect("a lock that is held or awaited has an entry");
        (entry, tally)
    }

    fn waited_for(&mut self, id: EntryId) -> &mut Entry {
        self.get(id.hash, |entry| entry.number == id.number)
    }

    /// Takes the lock if it has room; else gives its entry.
    fn try_take(
        &mut self,
        name: Name<'_>,
        terms: Terms,
        record: Record,
    ) -> Result<Place, &mut Entry> {
        let Name { hash, space, .. } = name;
        let Terms { mode, reentry } = terms;
        let InShard {
            table, ears, next, ..
        } = &mut *self.entries;
        match table.entry(hash, |entry| name.is_of(entry)) {
            hash_table::Entry::Occupied(entry) => {
                let entry = entry.into_mut();
                let mut ticket = entry.try_take(mode, record);
                if reentry == Reentry::Allowed && ticket.is_none() {
                    ticket = entry.try_reenter(mode, record);
                }
                let Some(ticket) = ticket else {
                    return Err(entry);
                };
                let number = entry.number;
                let entry = EntryId { hash, number };
                Ok(Place { entry, ticket })
            }
            hash_table::Entry::Vacant(free) => {
                let number = *next;
                *next += 1;
                // An entry keeps its bucket inflated.
                let _inflated_already = bucket(hash).reserve(slots(hash));
                let (key, ticket) = (name.key(), Ticket::draw());
                let holder = (ticket, record);
                let entry = Entry::new(number, space.number, key, space.policy, mode, holder);
                let mut entry = Box::new(entry);
                let place = index(hash) % SHARD;
                let first = index(hash) - place;
                let buckets = TABLE[first..].iter().zip(&SLOTS[first..]);
                let ears = Ears::of_bucket(ears, buckets, place);
                if !ears.is_none() {
                    entry.begin_as_heard_by(ears);
                }
                free.insert(entry);
                let entry = EntryId { hash, number };
                Ok(Place { entry, ticket })
            }
        }
    }

    /// Removes an idle entry.
    fn remove(&mut self, id: EntryId) {
        let table = &mut self.entries.table;
        if table.remove(id.hash, |entry| entry.number == id.number) {
            bucket(id.hash).unreserve(slots(id.hash));
        }
    }
}

impl Drop for Inflated {
    fn drop(&mut self) {
        for (bucket, slots) in self.buckets() {
            bucket.unreserve(slots);
        }
    }
}

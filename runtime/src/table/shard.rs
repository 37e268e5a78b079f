//! The buckets and the entries, and how a bucket is inflated for a while.
//!
//! The entries of some buckets are under one mutex: that is a shard. Whoever locks it has one of its
//! buckets inflated meanwhile, or all of them, so that all that is known of their locks is in the entries.

use super::ahead::Ahead;
use super::ajar;
use super::bucket::{BUCKETS, Bucket, Written, index};
use super::charges::Tally;
use super::ears::Ears;
use super::entries::{Entries, Found, hash_of};
use super::entry::{Entry, Head};
use super::identity::{is_fair, name_part};
use super::name::Name;
use super::occupant::Occupant;
use super::place::{EntryId, Place, Ticket};
use super::policy::{Policy, Reentry, Terms};
use super::record::{Kind, assert_fits};
use super::slot::Slots;
use super::word::{self, hash};
use crate::site::Record;
use crate::sync::{Mutex, MutexGuard};
use std::mem;
use std::ops::Range;

/// Enough that threads rarely meet at one mutex.
pub(super) const SHARDS: usize = if cfg!(all(test, loom)) { 2 } else { 128 };

/// How many buckets a shard has.
pub(super) const SHARD: usize = BUCKETS / SHARDS;

/// The buckets, those of one shard after those of another. Not inside of the shards, so
/// that where one is takes no multiplication.
#[cfg(not(all(test, loom)))]
pub(super) static TABLE: [Bucket; BUCKETS] = [const { Bucket::new() }; BUCKETS];

/// Those of each bucket.
#[cfg(not(all(test, loom)))]
pub(super) static SLOTS: [Slots; BUCKETS] = [const { Slots::new() }; BUCKETS];

#[cfg(not(all(test, loom)))]
pub(super) static ENTRIES: [Shard; SHARDS] = [const { Shard::new() }; SHARDS];

#[cfg(all(test, loom))]
loom::lazy_static! {
    pub(super) static ref TABLE: [Bucket; BUCKETS] = std::array::from_fn(|_| Bucket::new());
    pub(super) static ref SLOTS: [Slots; BUCKETS] = std::array::from_fn(|_| Slots::new());
    pub(super) static ref ENTRIES: [Shard; SHARDS] =
        std::array::from_fn(|_| Shard::new());
}

/// Aligned as a bucket is.
#[repr(align(128))]
pub(super) struct Shard {
    pub(super) entries: Mutex<InShard>,
    ahead: Ahead,
}

pub(super) struct InShard {
    pub(super) table: Entries,
    /// Who is told of each hold, by bucket.
    pub(super) ears: [Ears; SHARD],
    pub(super) tally: Tally,
    /// Numbers the entries.
    numbers: Numbers,
    /// The number of the entry of each bucket that has gone to [rest](Inflated::rest), or 0. The next one that is made of a thin
    /// hold has it, for those who compare what they see of a lock at different times.
    rested: [u64; SHARD],
}

/// How many entries a shard has had.
pub(super) struct Numbers(u64);

/// All of them, none of whose buckets becomes an entry by it.
pub(super) fn shards() -> impl Iterator<Item = &'static Shard> {
    (0..SHARDS).map(|shard| &ENTRIES[shard])
}

/// Whether it is the entry of this hold. There are holds with the tickets of a bucket in other
/// buckets too; any other ticket is in one entry only.
pub(super) fn is_of_hold(entry: &Entry, hash: u64, ticket: Ticket) -> bool {
    if ticket.is_of_bucket() {
        entry.has_tickets && entry.is_in_bucket(hash)
    } else {
        entry.is_held_by(ticket)
    }
}

/// Whether no lock is held or awaited, and nothing is left of those that were.
#[cfg(all(test, loom))]
pub(crate) fn is_empty() -> bool {
    TABLE.iter().all(Bucket::is_free)
        && ENTRIES
            .iter()
            .all(|shard| shard.entries.lock().table.is_empty())
}

#[inline]
pub(super) fn bucket(hash: u64) -> &'static Bucket {
    &TABLE[index(hash)]
}

/// That of the bucket.
fn shard(hash: u64) -> &'static Shard {
    &ENTRIES[index(hash) / SHARD]
}

/// Asks for the memory where the entry of a hash is, or is to be.
pub(super) fn look_ahead(hash: u64) {
    Entries::ask_for(hash, &shard(hash).ahead);
}

/// Those of the bucket.
pub(super) fn slots(hash: u64) -> &'static Slots {
    &SLOTS[index(hash)]
}

impl Shard {
    #[cfg(not(all(test, loom)))]
    const fn new() -> Self {
        Self {
            entries: Mutex::new(InShard::new()),
            ahead: Ahead::new(),
        }
    }

    #[cfg(all(test, loom))]
    fn new() -> Self {
        Self {
            entries: Mutex::new(InShard::new()),
            ahead: Ahead::new(),
        }
    }
}

impl InShard {
    const fn new() -> Self {
        Self {
            table: Entries::new(),
            ears: [Ears::NONE; SHARD],
            tally: Tally::new(),
            numbers: Numbers(0),
            rested: [0; SHARD],
        }
    }

    /// Makes an entry of a lock that was held thin, and had none, if somebody has it.
    fn add(&mut self, written: Written, ahead: &Ahead, (bucket, slots): (&Bucket, &Slots)) {
        let Written {
            space, key, mode, ..
        } = written;
        let mut holders = written.holders.into_iter().flatten();
        let Some(first) = holders.next() else {
            bucket.unreserve(slots);
            return;
        };
        let hash = hash(space, key.as_bytes());
        let policy = Policy {
            permits: written.permits,
            fair: is_fair(space),
        };
        let number = match mem::take(&mut self.rested[index(hash) % SHARD]) {
            0 => self.numbers.draw(hash),
            rested => rested,
        };
        let head = Head::new((number, true), space, policy, mode, first);
        let Found::Free(free) = self.table.find_or_free(hash, ahead, |_| false) else {
            unreachable!("a lock that was held thin has no entry");
        };
        let entry = free.fill(head, key.as_bytes());
        holders.for_each(|(ticket, holder)| entry.held_also(ticket, holder));
    }

    /// Hands on to the recorder what is over of all locks.
    pub(super) fn hand_on(&mut self) {
        let Self { table, tally, .. } = self;
        for entry in table.iter_mut().filter(|entry| entry.is_blamed()) {
            let (hash, space) = (hash_of(entry), name_part(entry.space));
            if let Some((text, bill)) = entry.bill() {
                tally.keep((hash, space, text), bill);
            }
        }
        tally.hand_on();
    }
}

impl Numbers {
    /// One for an entry of the bucket of a hash.
    const fn draw(&mut self, hash: u64) -> u64 {
        let Self(drawn) = self;
        *drawn += 1;
        *drawn * BUCKETS as u64 + index(hash) as u64
    }
}

/// Whether an entry that is to be has the bucket's tickets, and that of its holder: so it is if others may join and
/// the bucket is inflated for nobody but the caller, so that it has no other entry.
fn tickets_of_new(hash: u64, kind: Kind) -> (bool, Ticket) {
    let has_tickets = kind.is_joint() && bucket(hash).is_inflated_for(1);
    if has_tickets {
        bucket(hash).begin_joint();
        return (true, Ticket::of_slot(0));
    }
    (false, Ticket::draw())
}

/// A shard's entries, locked, with some of its buckets inflated for as long.
pub(super) struct Inflated {
    pub(super) entries: MutexGuard<'static, InShard>,
    pub(super) buckets: &'static [Bucket],
    /// Those of each of the buckets.
    slots: &'static [Slots],
}

impl Inflated {
    /// For the bucket of a hash.
    pub(super) fn at(hash: u64) -> Self {
        let index = index(hash);
        Self::of(index..index + 1)
    }

    /// For some buckets of one shard.
    pub(super) fn of(indices: Range<usize>) -> Self {
        let shard = &ENTRIES[indices.start / SHARD];
        let mut inflated = Self {
            entries: shard.entries.lock(),
            buckets: &TABLE[indices.clone()],
            slots: &SLOTS[indices],
        };
        for (bucket, slots) in inflated.buckets() {
            let mut written = bucket.reserve(slots);
            if let Some(hash) = bucket.end_ajar(slots) {
                let entry = inflated.get(hash, |entry| entry.is_in_bucket(hash));
                written = ajar::end(entry, (bucket, slots), written);
            }
            if let Some(written) = written {
                inflated.entries.add(written, &shard.ahead, (bucket, slots));
            }
        }
        inflated
    }

    /// The buckets, each with its slots.
    pub(super) fn buckets(
        &self,
    ) -> impl Iterator<Item = (&'static Bucket, &'static Slots)> + use<> {
        self.buckets.iter().zip(self.slots)
    }

    pub(super) fn find(&mut self, name: Name<'_>) -> Option<&mut Entry> {
        let table = &mut self.entries.table;
        table.find(name.hash, |entry| name.is_of(entry))
    }

    pub(super) fn find_hold(&mut self, hash: u64, ticket: Ticket) -> Option<&mut Entry> {
        let table = &mut self.entries.table;
        table.find(hash, |entry| is_of_hold(entry, hash, ticket))
    }

    /// The entry of a lock that the caller holds or awaits.
    pub(super) fn get(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> &mut Entry {
        self.get_with_tally(hash, is_it).0
    }

    /// The same, with what waits for the shard's locks have come to.
    pub(super) fn get_with_tally(
        &mut self,
        hash: u64,
        is_it: impl Fn(&Entry) -> bool,
    ) -> (&mut Entry, &mut Tally) {
        let InShard { table, tally, .. } = &mut *self.entries;
        let entry = table.find(hash, is_it);
        let entry = entry.expect("a lock that is held or awaited has an entry");
        (entry, tally)
    }

    pub(super) fn waited_for(&mut self, id: EntryId) -> &mut Entry {
        self.get(id.hash, |entry| entry.number == id.number)
    }

    /// Takes the lock if it has room, and says whether others wait for it; else gives its entry.
    pub(super) fn try_take(
        &mut self,
        name: Name<'_>,
        terms: Terms,
        record: Record,
    ) -> Result<(Place, bool), &mut Entry> {
        let Name { hash, space, .. } = name;
        let Terms { mode, reentry } = terms;
        let InShard {
            table,
            ears,
            numbers,
            ..
        } = &mut *self.entries;
        let mut overtakes = false;
        let place = match table.find_or_free(hash, &shard(hash).ahead, |entry| name.is_of(entry)) {
            Found::Entry(entry) => {
                overtakes = entry.first_waiter().is_some();
                let mut ticket = entry.try_take(mode, record);
                if reentry == Reentry::Allowed && ticket.is_none() {
                    ticket = entry.try_reenter(mode, record);
                }
                let Some(ticket) = ticket else {
                    return Err(entry);
                };
                let number = entry.number;
                let entry = EntryId { hash, number };
                Place { entry, ticket }
            }
            Found::Free(free) => {
                assert_fits(name.text);
                let policy = space.policy;
                let kind = Kind::new(mode, policy.permits);
                let (has_tickets, ticket) = tickets_of_new(hash, kind);
                let number = numbers.draw(hash);
                // An entry keeps its bucket inflated.
                let _inflated_already = bucket(hash).reserve(slots(hash));
                let holder = (ticket, Occupant::new(record));
                let head = Head::new((number, has_tickets), space.number, policy, mode, holder);
                let entry = free.fill(head, name.text);
                let place = index(hash) % SHARD;
                let first = index(hash) - place;
                let buckets = TABLE[first..].iter().zip(&SLOTS[first..]);
                let ears = Ears::of_bucket(ears, buckets, place);
                if !ears.is_none() {
                    entry.begin_as_heard_by(ears);
                }
                let entry = EntryId { hash, number };
                Place { entry, ticket }
            }
        };
        if let Some(slot) = place.ticket.slot() {
            bucket(hash).fill(slots(hash), slot, record);
        }
        Ok((place, overtakes))
    }

    /// Makes the lock thin that is the entry with the bucket's tickets, if it may be, for who has that bucket
    /// alone. Then nothing is inflated any more.
    pub(super) fn rest(&mut self, hash: u64) {
        // For the entry, and for this.
        if !bucket(hash).is_inflated_for(2) {
            return;
        }
        let InShard { table, rested, .. } = &mut *self.entries;
        let has_tickets = |entry: &Entry| entry.has_tickets && entry.is_in_bucket(hash);
        let Some(entry) = table.find(hash, has_tickets) else {
            return;
        };
        if !entry.may_rest() {
            return;
        }
        rested[index(hash) % SHARD] = entry.number;
        let kind = entry.kind();
        let word = word::of_holders(kind.word(hash), entry.tickets());
        let name = (entry.space, &entry.text);
        bucket(hash).deflate(slots(hash), word, name, kind, entry.holds());
        table.remove(hash, &shard(hash).ahead, has_tickets);
        (self.buckets, self.slots) = (&[], &[]);
    }

    /// Removes an idle entry.
    pub(super) fn remove(&mut self, id: EntryId) {
        let table = &mut self.entries.table;
        if table.remove(id.hash, &shard(id.hash).ahead, |entry| {
            entry.number == id.number
        }) {
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

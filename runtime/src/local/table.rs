//! The registry of the process: where a key's lock is.
//!
//! A key's hash, seeded anew in each process, picks one of a fixed number of
//! buckets. A bucket has the fast path in it; what goes beyond is an entry, in a
//! hash table under the mutex of the bucket's shard, where locks are found by the
//! whole key. So keys whose hashes are alike share a bucket, or a mutex for a few
//! instructions, and never a lock.

use super::bucket::Bucket;
use super::entry::{Entry, EntryId, Next, Ticket};
use crate::key::Key;
use crate::site::Record;
use crate::snapshot::LockState;
use crate::sync::{Mutex, MutexGuard};
use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use hashbrown::{HashTable, hash_table};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::LazyLock;
use std::task::Waker;

/// Enough that threads rarely meet at one mutex.
const SHARDS: usize = 128;

/// Buckets of a shard: 4096 in all, so that keys in use at one time rarely meet.
const BUCKETS: usize = 32;

/// A table with room for no more entries than this keeps its memory.
const SMALL: usize = 32;

/// The number of an entry that was made of its bucket's thin hold. There is at most
/// one of them in a bucket, since there are no thin holds while it is there.
const THIN: u64 = 0;

static TABLE: [Shard; SHARDS] = [const { Shard::new() }; SHARDS];

struct Shard {
    buckets: [Bucket; BUCKETS],
    entries: Mutex<Entries>,
}

struct Entries {
    table: HashTable<Box<Entry>>,
    /// Numbers the entries; never [`THIN`].
    next: u64,
}

/// A lock that is held; dropping it releases.
#[derive(Debug)]
pub(crate) struct Hold {
    entry: EntryId,
}

/// A waiter's place in a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    entry: EntryId,
    ticket: Ticket,
}

impl Drop for Hold {
    #[inline]
    fn drop(&mut self) {
        let is_thin = self.entry.number == THIN;
        if !(is_thin && bucket(self.entry.hash).release()) {
            release(self.entry);
        }
    }
}

/// A lock's name, with its hash.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    hash: u64,
    space: u64,
    /// UTF-8, and not checked to be: it comes from a `str`, or is a [`Key`]'s.
    text: &'a [u8],
}

impl<'a> Name<'a> {
    #[inline]
    pub(super) fn new(space: u64, text: &'a [u8]) -> Self {
        static SEED: LazyLock<(u64, SharedSeed)> = LazyLock::new(|| {
            let random = || RandomState::new().build_hasher().finish();
            (random(), SharedSeed::from_u64(random()))
        });
        let (seed, shared) = &*SEED;
        let mut hasher = FoldHasher::with_seed(seed ^ space, shared);
        hasher.write(text);
        Self {
            hash: hasher.finish(),
            space,
            text,
        }
    }

    pub(super) const fn space(&self) -> u64 {
        self.space
    }

    /// A copy of the key.
    #[cold]
    pub(super) fn key(&self) -> Key {
        Key::from_utf8(self.text)
    }

    fn is_of(&self, entry: &Entry) -> bool {
        entry.space == self.space && entry.key.as_bytes() == self.text
    }
}

/// Takes the lock if nobody has it.
#[inline]
pub(super) fn try_take(name: Name<'_>, record: Record) -> Option<Hold> {
    let Name { hash, space, text } = name;
    if bucket(hash).try_take(space, text, record) {
        return Some(Hold {
            entry: EntryId { hash, number: THIN },
        });
    }
    try_take_inflated(name, record)
}

#[cold]
fn try_take_inflated(name: Name<'_>, record: Record) -> Option<Hold> {
    let taken = Inflated::at(name.hash).try_take(name, record);
    taken.map(|entry| Hold { entry })
}

/// Takes the lock, or joins the end of its queue.
pub(super) fn take_or_queue(name: Name<'_>, record: Record, waker: Waker) -> Result<Hold, Place> {
    let mut inflated = Inflated::at(name.hash);
    if let Some(entry) = inflated.try_take(name, record) {
        drop(inflated); // Before the waker is.
        return Ok(Hold { entry });
    }
    let entry = inflated.find(name).expect("a busy lock has an entry");
    Err(Place {
        entry: entry.id,
        ticket: entry.enqueue(record, waker),
    })
}

/// A waiter's next try: takes the lock, or leaves `waker` in the queue.
pub(super) fn retry(Place { entry, ticket }: Place, waker: Waker) -> Option<Hold> {
    // Dropped after the mutex is free.
    let (mut waker, mut spare) = (Some(waker), None);
    let taken = Inflated::at(entry.hash)
        .get(entry)
        .retry(ticket, &mut waker, &mut spare);
    taken.then(|| Hold { entry })
}

/// Gives up a place in the queue, or the lock if it was already handed over.
pub(super) fn leave(Place { entry, ticket }: Place) {
    let mut spare = None; // Dropped after the mutex is free.
    end(entry, |lock| lock.leave(ticket, &mut spare));
}

#[cold]
fn release(entry: EntryId) {
    end(entry, Entry::release);
}

/// Ends a hold or a wait, and does what is next for the entry.
fn end(entry: EntryId, part: impl FnOnce(&mut Entry) -> Next) {
    let mut inflated = Inflated::at(entry.hash);
    let next = part(inflated.get(entry));
    if let Next::Idle = next {
        inflated.remove(entry);
    }
    drop(inflated);
    if let Next::Wake(Some(waker)) = next {
        waker.wake();
    }
}

/// Who has the lock.
pub(super) fn holder(name: Name<'_>) -> Option<Record> {
    Inflated::at(name.hash).find(name)?.holder()
}

/// The state of the held and awaited locks of the spaces that `of` picks.
pub(crate) fn states(of: impl Fn(u64) -> bool) -> Vec<LockState> {
    let mut states = Vec::new();
    for shard in &TABLE {
        let inflated = Inflated::of(shard, &shard.buckets);
        let entries = inflated.entries.table.iter();
        states.extend(
            entries
                .filter(|entry| of(entry.space))
                .map(|entry| entry.state()),
        );
    }
    states
}

/// The place of a hash, by bits that hashbrown doesn't use: it takes the lowest and
/// the top seven.
#[inline]
fn place(hash: u64) -> (&'static Shard, usize) {
    let index = (hash >> 32) as usize;
    (&TABLE[index / BUCKETS % SHARDS], index % BUCKETS)
}

#[inline]
fn bucket(hash: u64) -> &'static Bucket {
    let (shard, index) = place(hash);
    &shard.buckets[index]
}

impl Shard {
    const fn new() -> Self {
        let entries = Entries {
            table: HashTable::new(),
            next: THIN + 1,
        };
        Self {
            buckets: [const { Bucket::new() }; BUCKETS],
            entries: Mutex::new(entries),
        }
    }
}

/// A shard's entries, locked, with some of its buckets inflated for as long.
struct Inflated {
    entries: MutexGuard<'static, Entries>,
    buckets: &'static [Bucket],
}

impl Inflated {
    /// For the bucket of a hash.
    fn at(hash: u64) -> Self {
        let (shard, index) = place(hash);
        Self::of(shard, &shard.buckets[index..=index])
    }

    fn of(shard: &'static Shard, buckets: &'static [Bucket]) -> Self {
        let mut inflated = Self {
            entries: shard.entries.lock(),
            buckets,
        };
        for bucket in buckets {
            if let Some((space, key, record)) = bucket.reserve() {
                let id = EntryId {
                    hash: Name::new(space, key.as_bytes()).hash,
                    number: THIN,
                };
                let entry = Box::new(Entry::new(id, space, key, record));
                inflated
                    .entries
                    .table
                    .insert_unique(id.hash, entry, |entry| entry.id.hash);
            }
        }
        inflated
    }

    fn find(&mut self, name: Name<'_>) -> Option<&mut Entry> {
        let entry = self
            .entries
            .table
            .find_mut(name.hash, |entry| name.is_of(entry))?;
        Some(entry)
    }

    /// The entry of somebody who holds or awaits its lock.
    fn get(&mut self, id: EntryId) -> &mut Entry {
        let entry = self.entries.table.find_mut(id.hash, |entry| entry.id == id);
        entry.expect("a lock that is held or awaited has an entry")
    }

    /// Takes the lock if nobody has it.
    fn try_take(&mut self, name: Name<'_>, record: Record) -> Option<EntryId> {
        let Name { hash, space, .. } = name;
        let Entries { table, next } = &mut *self.entries;
        match table.entry(hash, |entry| name.is_of(entry), |entry| entry.id.hash) {
            hash_table::Entry::Occupied(mut entry) => {
                let entry = entry.get_mut();
                entry.try_take(record).then_some(entry.id)
            }
            hash_table::Entry::Vacant(free) => {
                let id = EntryId {
                    hash,
                    number: *next,
                };
                *next += 1;
                // An entry keeps its bucket inflated.
                let _inflated_already = bucket(hash).reserve();
                free.insert(Box::new(Entry::new(id, space, name.key(), record)));
                Some(id)
            }
        }
    }

    /// Removes an idle entry.
    fn remove(&mut self, id: EntryId) {
        let table = &mut self.entries.table;
        if let Ok(entry) = table.find_entry(id.hash, |entry| entry.id == id) {
            entry.remove();
            bucket(id.hash).unreserve();
        }
        // Keys that nobody uses cost no memory, but for room to grow again without
        // a resize at every other key.
        let (len, capacity) = (table.len(), table.capacity());
        if capacity > SMALL && len < capacity / 8 {
            table.shrink_to(2 * len, |entry| entry.id.hash);
        }
    }
}

impl Drop for Inflated {
    fn drop(&mut self) {
        for bucket in self.buckets {
            bucket.unreserve();
        }
    }
}

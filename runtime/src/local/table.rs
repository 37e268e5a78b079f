//! The registry of the process: where a key's lock is.
//!
//! A key's hash, seeded anew in each process, picks one of a fixed number of
//! buckets. A bucket has the fast path in it; what goes beyond is an entry, in a
//! hash table under the mutex of the bucket's shard, where locks are found by the
//! whole key. So keys whose hashes are alike share a bucket, or a mutex for a few
//! instructions, and never a lock.

use super::bucket::{Bucket, ThinHold};
use super::deadlock::{self, Wait};
use super::entry::{Entry, Mode, Policy, Ticket, Wakers};
use super::identity::name_of;
use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::owner::Owner;
use crate::site::{Holder, Record};
use crate::snapshot::LockState;
use crate::sync::{Mutex, MutexGuard};
use hashbrown::{HashTable, hash_table};
use std::task::Waker;

/// Enough that threads rarely meet at one mutex.
const SHARDS: usize = if cfg!(all(test, loom)) { 2 } else { 128 };

/// Buckets of a shard: 4096 in all, so that keys in use at one time rarely meet.
const BUCKETS: usize = if cfg!(all(test, loom)) { 2 } else { 32 };

/// A table with room for no more entries than this keeps its memory.
const SMALL: usize = 32;

#[cfg(not(all(test, loom)))]
static TABLE: [Shard; SHARDS] = [const { Shard::new() }; SHARDS];

#[cfg(all(test, loom))]
loom::lazy_static! {
    static ref TABLE: [Shard; SHARDS] = std::array::from_fn(|_| Shard::new());
}

struct Shard {
    buckets: [Bucket; BUCKETS],
    entries: Mutex<Entries>,
}

struct Entries {
    table: HashTable<Box<Entry>>,
    /// Numbers the entries, from [`BUCKETS`] on.
    next: u64,
}

/// Where an entry is. It is there for as long as the owner of the id holds or
/// awaits the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryId {
    hash: u64,
    /// Unique in the hash's shard. That of an entry which was made of a thin hold is
    /// its bucket's index: there is only one of them in a bucket, since there are no
    /// thin holds while it is there.
    number: u64,
}

/// A lock that is held; dropping it releases.
#[derive(Debug)]
pub(crate) struct Hold(Place);

/// The place of a holder or a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) entry: EntryId,
    ticket: Ticket,
}

impl Place {
    pub(super) const MIN: Self = Self {
        entry: EntryId { hash: 0, number: 0 },
        ticket: Ticket::FIRST,
    };
    pub(super) const MAX: Self = Self {
        entry: EntryId {
            hash: u64::MAX,
            number: u64::MAX,
        },
        ticket: Ticket::LAST,
    };

    /// The place of who took a lock by its bucket alone.
    #[inline]
    fn thin(hash: u64) -> Self {
        let (_, bucket) = place(hash);
        Self {
            entry: EntryId {
                hash,
                number: bucket as u64,
            },
            ticket: Ticket::FIRST,
        }
    }

    #[inline]
    fn is_thin(self) -> bool {
        self.entry.number < BUCKETS as u64 && self.ticket == Ticket::FIRST
    }
}

impl Hold {
    /// What [`try_take_thin`] has taken.
    #[inline]
    pub(crate) fn thin(hash: u64) -> Self {
        Self(Place::thin(hash))
    }
}

impl Drop for Hold {
    #[inline]
    fn drop(&mut self) {
        let Self(place) = *self;
        if !(place.is_thin() && bucket(place.entry.hash).release()) {
            end(place, Entry::release);
        }
    }
}

/// A lock's name, with its hash.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    hash: u64,
    space: SpaceId,
    /// UTF-8, and not checked to be: it comes from a `str`, or is a [`Key`]'s.
    text: &'a [u8],
}

/// A lock space, as its locks know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpaceId {
    pub(super) number: u64,
    pub(super) policy: Policy,
}

/// How a lock is to be held, and by whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) mode: Mode,
    /// Whether a thread that holds the lock goes straight in.
    pub(crate) reentrant: bool,
}

impl Terms {
    pub(crate) const EXCLUSIVE: Self = Self {
        mode: Mode::Exclusive,
        reentrant: false,
    };
}

impl<'a> Name<'a> {
    #[inline]
    pub(super) fn new(space: SpaceId, text: &'a [u8]) -> Self {
        Self {
            hash: hash(space.number, text),
            space,
            text,
        }
    }

    /// A copy of the key.
    #[cold]
    fn key(&self) -> Key {
        Key::from_utf8(self.text)
    }

    fn is_of(&self, entry: &Entry) -> bool {
        entry.space == self.space.number && entry.key.as_bytes() == self.text
    }
}

#[cfg(not(all(test, loom)))]
#[inline]
fn hash(space: u64, text: &[u8]) -> u64 {
    use foldhash::SharedSeed;
    use foldhash::fast::FoldHasher;
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher as _, Hasher as _};
    use std::sync::LazyLock;

    static SEED: LazyLock<(u64, SharedSeed)> = LazyLock::new(|| {
        let random = || RandomState::new().build_hasher().finish();
        (random(), SharedSeed::from_u64(random()))
    });
    let (seed, shared) = &*SEED;
    let mut hasher = FoldHasher::with_seed(seed ^ space, shared);
    hasher.write(text);
    hasher.finish()
}

/// In a model the first digit says which bucket: 0 and 1 are in one shard.
#[cfg(all(test, loom))]
fn hash(_space: u64, text: &[u8]) -> u64 {
    u64::from(text[0] - b'0') << 32
}

/// Whether a bucket has a place for such a hold.
#[inline]
pub(super) fn may_be_thin(space: &SpaceId, text: &[u8], terms: Terms) -> bool {
    space.policy.permits == 1 && terms.mode == Mode::Exclusive && text.len() <= Bucket::TEXT
}

/// Whether the fast path is closed for other keys' sake: the lock itself is free, and only
/// the slow path has it. A hint: by now it may have changed.
pub(super) fn is_closed_by_others(name: Name<'_>) -> bool {
    bucket(name.hash).is_inflated() && Inflated::at(name.hash).find(name).is_none()
}

/// Takes the lock by its bucket alone. Gives the hash, of which [`Hold::thin`] makes the
/// hold: a hold would come back in memory, from where copying it costs as much again as
/// all the rest.
pub(super) fn try_take_thin(
    space: &SpaceId,
    text: &[u8],
    terms: Terms,
    record: Record,
) -> Option<u64> {
    if !may_be_thin(space, text, terms) {
        return None;
    }
    let SpaceId {
        number,
        policy: Policy { fair, .. },
    } = *space;
    let hash = hash(number, text);
    bucket(hash)
        .try_take(number, text, fair, record)
        .then_some(hash)
}

/// Takes the lock if it has room.
pub(super) fn try_take(name: Name<'_>, terms: Terms, record: Record) -> Option<Hold> {
    Inflated::at(name.hash)
        .try_take(name, terms, record)
        .map(Hold)
}

/// Takes the lock, or joins the end of its queue.
pub(super) fn take_or_queue(
    name: Name<'_>,
    terms: Terms,
    record: Record,
    waker: Waker,
) -> Result<Hold, Place> {
    let mut inflated = Inflated::at(name.hash);
    if let Some(place) = inflated.try_take(name, terms, record) {
        drop(inflated); // Before the waker is.
        return Ok(Hold(place));
    }
    let entry = inflated.find(name).expect("a busy lock has an entry");
    let ticket = entry.enqueue(terms.mode, record, waker);
    Err(Place {
        entry: EntryId {
            hash: name.hash,
            number: entry.number,
        },
        ticket,
    })
}

/// A waiter's next try: takes the lock, or leaves `waker` in the queue.
pub(super) fn retry(place: Place, owner: Owner, waker: Waker) -> Option<Hold> {
    let (mut wakers, mut waker) = (Wakers::default(), Some(waker));
    let mut inflated = Inflated::at(place.entry.hash);
    let entry = inflated.get(place.entry);
    let taken = entry.retry(place.ticket, owner, &mut waker, &mut wakers);
    drop(inflated);
    taken.then(|| Hold(place))
}

/// Has a hold be nobody's in particular.
pub(super) fn disown(Hold(place): &Hold) {
    Inflated::at(place.entry.hash)
        .get(place.entry)
        .disown(place.ticket);
}

/// Gives up a place in the queue, or the lock if it was already handed over.
pub(super) fn leave(place: Place) {
    end(place, Entry::leave);
}

/// Ends a hold or a wait.
#[cold]
fn end(Place { entry: id, ticket }: Place, part: fn(&mut Entry, Ticket, &mut Wakers)) {
    let mut wakers = Wakers::default();
    let mut inflated = Inflated::at(id.hash);
    let entry = inflated.get(id);
    part(entry, ticket, &mut wakers);
    if entry.is_idle() {
        inflated.remove(id);
    }
}

/// Somebody who has the lock.
pub(super) fn holder(name: Name<'_>) -> Option<Record> {
    Inflated::at(name.hash).find(name)?.holder()
}

/// The error of who doesn't wait.
#[cold]
pub(super) fn busy(name: Name<'_>) -> Error {
    let holder = holder(name).map(Holder::from);
    Error::new(
        ErrorKind::Busy,
        name_of(name.space.number),
        name.key(),
        holder,
    )
}

/// The error of who has waited; `None` if it isn't in the queue any more: then it is
/// itself the holder.
pub(super) fn refused(place: Place, kind: ErrorKind) -> Option<Error> {
    let mut inflated = Inflated::at(place.entry.hash);
    let entry = inflated.get(place.entry);
    entry.wait(place.ticket)?;
    let holder = entry.holder().map(Holder::from);
    Some(Error::new(
        kind,
        name_of(entry.space),
        entry.key.clone(),
        holder,
    ))
}

/// What a waiter waits for; `None` if it isn't in the queue any more.
pub(super) fn wait(Place { entry: id, ticket }: Place) -> Option<Wait> {
    let mut inflated = Inflated::at(id.hash);
    let entry = inflated
        .entries
        .table
        .find_mut(id.hash, |entry| entry.number == id.number)?;
    let (waiter, in_the_way) = entry.wait(ticket)?;
    let place = |ticket| Place { entry: id, ticket };
    let holders = in_the_way
        .into_iter()
        .map(|(ticket, record)| (place(ticket), record));
    Some(Wait {
        waiter,
        space: entry.space,
        key: entry.key.clone(),
        holders: holders.collect(),
        any: entry.has_one_permit(),
    })
}

/// The state of the held and awaited locks of the spaces that `of` picks.
pub(crate) fn states(of: impl Fn(u64) -> bool) -> Vec<LockState> {
    let mut states = Vec::new();
    let suspected = deadlock::suspected();
    for shard in &TABLE[..] {
        let inflated = Inflated::of(shard, &shard.buckets);
        let entries = inflated
            .entries
            .table
            .iter()
            .filter(|entry| of(entry.space));
        states.extend(entries.map(|entry| {
            let id = EntryId {
                hash: rehash(entry),
                number: entry.number,
            };
            entry.state(suspected.contains(&id))
        }));
    }
    states
}

/// Whether no lock is held or awaited, and nothing is left of those that were.
#[cfg(all(test, loom))]
pub(super) fn is_empty() -> bool {
    TABLE.iter().all(|shard| {
        shard.buckets.iter().all(Bucket::is_free) && shard.entries.lock().table.is_empty()
    })
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
    #[cfg(not(all(test, loom)))]
    const fn new() -> Self {
        Self {
            buckets: [const { Bucket::new() }; BUCKETS],
            entries: Mutex::new(Entries::new()),
        }
    }

    #[cfg(all(test, loom))]
    fn new() -> Self {
        Self {
            buckets: Default::default(),
            entries: Mutex::new(Entries::new()),
        }
    }
}

impl Entries {
    const fn new() -> Self {
        Self {
            table: HashTable::new(),
            next: BUCKETS as u64,
        }
    }
}

/// The hash of an entry, which doesn't keep it: a table that grows is seldom.
#[expect(clippy::borrowed_box, reason = "the table's element")]
fn rehash(entry: &Box<Entry>) -> u64 {
    hash(entry.space, entry.key.as_bytes())
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
            if let Some(ThinHold {
                space,
                key,
                fair,
                record,
            }) = bucket.reserve()
            {
                let hash = hash(space, key.as_bytes());
                let policy = Policy { permits: 1, fair };
                let number = Place::thin(hash).entry.number;
                let entry = Entry::new(number, space, key, policy, Mode::Exclusive, record);
                inflated
                    .entries
                    .table
                    .insert_unique(hash, Box::new(entry), rehash);
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
        let entry = self
            .entries
            .table
            .find_mut(id.hash, |entry| entry.number == id.number);
        entry.expect("a lock that is held or awaited has an entry")
    }

    /// Takes the lock if it has room.
    fn try_take(&mut self, name: Name<'_>, terms: Terms, record: Record) -> Option<Place> {
        let Name { hash, space, .. } = name;
        let Terms { mode, reentrant } = terms;
        let Entries { table, next } = &mut *self.entries;
        match table.entry(hash, |entry| name.is_of(entry), rehash) {
            hash_table::Entry::Occupied(mut entry) => {
                let entry = entry.get_mut();
                let mut ticket = entry.try_take(mode, record);
                if reentrant && ticket.is_none() {
                    ticket = entry.try_reenter(mode, record);
                }
                let entry = EntryId {
                    hash,
                    number: entry.number,
                };
                ticket.map(|ticket| Place { entry, ticket })
            }
            hash_table::Entry::Vacant(free) => {
                let number = *next;
                *next += 1;
                // An entry keeps its bucket inflated.
                let _inflated_already = bucket(hash).reserve();
                let key = name.key();
                let entry = Entry::new(number, space.number, key, space.policy, mode, record);
                free.insert(Box::new(entry));
                let entry = EntryId { hash, number };
                Some(Place {
                    entry,
                    ticket: Ticket::FIRST,
                })
            }
        }
    }

    /// Removes an idle entry.
    fn remove(&mut self, id: EntryId) {
        let table = &mut self.entries.table;
        if let Ok(entry) = table.find_entry(id.hash, |entry| entry.number == id.number) {
            entry.remove();
            bucket(id.hash).unreserve();
        }
        // Keys that nobody uses cost no memory, but for room to grow again without
        // a resize at every other key.
        let (len, capacity) = (table.len(), table.capacity());
        if capacity > SMALL && len < capacity / 8 {
            table.shrink_to(2 * len, rehash);
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

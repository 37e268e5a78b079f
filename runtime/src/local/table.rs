//! The registry: which locks are held or awaited, by whom, and who comes next.
//!
//! A fixed number of shards, each a hash table under a mutex; a key's hash says
//! which. Entries are found by the whole key, so equal hashes make keys share a
//! shard's mutex for a few instructions, and never a lock. The hash is seeded anew
//! in each process.
//!
//! Invariants of an entry, whenever its shard's mutex is free:
//! 1. It has a holder or a waiter; else it is gone.
//! 2. If it has no holder, its first waiter has been woken (its `waker` is gone),
//!    and will try again or leave.
//! 3. The ticket of a waiter that did not leave is in the queue, or else the lock
//!    has been handed to that waiter.
//!
//! No foreign code runs under a shard's mutex: wakers are cloned, called and
//! dropped outside it.

use super::acquire::Request;
use crate::key::Key;
use crate::site::Holder;
use crate::snapshot::LockState;
use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use hashbrown::HashTable;
use hashbrown::hash_table;
use parking_lot::{Mutex, MutexGuard};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, btree_map};
use std::hash::{BuildHasher as _, Hasher as _};
use std::mem;
use std::sync::LazyLock;
use std::task::Waker;
use std::time::{Duration, Instant};

/// How long a waiter can be overtaken: from then on the lock is handed to it.
const PATIENCE: Duration = Duration::from_millis(1);

/// Enough that threads rarely meet at one mutex.
const SHARDS: usize = 128;

/// A table with room for no more entries than this keeps its memory.
const SMALL: usize = 32;

static TABLE: [Shard; SHARDS] = [const { Shard(Mutex::new(Entries::new())) }; SHARDS];

/// Aligned so that two shards never share a cache line, nor a pair of lines that
/// the processor fetches together.
#[repr(align(128))]
struct Shard(Mutex<Entries>);

/// A lock space as the registry knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpaceId {
    pub(super) id: u64,
    pub(super) name: &'static str,
}

/// One shard's entries.
pub(super) struct Entries {
    table: HashTable<Box<Entry>>,
    /// Numbers the entries, so that no [`EntryId`] comes twice.
    next: u64,
}

/// Where an entry is. It is there for as long as the owner of the id holds or
/// awaits the lock, by invariant 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryId {
    hash: u64,
    /// Unique in the hash's shard.
    number: u64,
}

/// A lock that somebody holds or awaits.
pub(super) struct Entry {
    id: EntryId,
    space: SpaceId,
    key: Key,
    holder: Option<Holder>,
    /// By ticket, which is the order of arrival.
    queue: BTreeMap<Ticket, Waiter>,
    next_ticket: Ticket,
}

type Ticket = u64;

/// A thread or a task in the queue.
struct Waiter {
    /// What the entry's holder becomes when this one has the lock.
    holder: Holder,
    /// `None` once it has been called, until the waiter tries again.
    waker: Option<Waker>,
    since: Instant,
}

/// A waiter's place in a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    entry: EntryId,
    ticket: Ticket,
}

/// A lock that is held; dropping it releases.
#[derive(Debug)]
pub(crate) struct Hold {
    entry: EntryId,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let woken = shard(self.entry.hash).release(self.entry);
        wake(woken);
    }
}

/// The hash of a lock, which says where its entry is.
pub(super) fn hash(request: &Request) -> u64 {
    static SEED: LazyLock<(u64, SharedSeed)> = LazyLock::new(|| {
        let random = || RandomState::new().build_hasher().finish();
        (random(), SharedSeed::from_u64(random()))
    });
    let (seed, shared) = &*SEED;
    let mut hasher = FoldHasher::with_seed(seed ^ request.space.id, shared);
    hasher.write(request.key.as_bytes());
    hasher.finish()
}

/// The entries of a hash's shard, locked.
pub(super) fn shard(hash: u64) -> MutexGuard<'static, Entries> {
    // Bits that hashbrown doesn't use: it takes the lowest and the top seven.
    let index = (hash >> 40) as usize % SHARDS;
    TABLE[index].0.lock()
}

/// Calls a waker that came out of a shard, whose mutex must be free by now.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Takes the lock, or joins the end of its queue.
pub(super) fn take_or_queue(
    hash: u64,
    request: &mut Request,
    holder: Holder,
    waker: Waker,
) -> Result<Hold, Place> {
    let mut waker = Some(waker);
    shard(hash).take_or_queue(hash, request, holder, &mut waker)
}

/// A waiter's next try: takes the lock, or leaves `waker` in the queue.
pub(super) fn retry(place: Place, waker: Waker) -> Option<Hold> {
    let mut waker = Some(waker);
    // Named, so that both wakers are dropped after the mutex is free.
    let taken = shard(place.entry.hash)
        .get(place.entry)
        .retry(place.ticket, &mut waker);
    taken.map(|(hold, _waker)| hold)
}

/// Gives up a place in the queue, or the lock if it was already handed over.
pub(super) fn leave(place: Place) {
    let (woken, _own) = shard(place.entry.hash).leave(place);
    wake(woken);
}

/// The state of the held and awaited locks of the spaces that `of` picks.
pub(super) fn states(of: impl Fn(SpaceId) -> bool) -> Vec<LockState> {
    let mut states = Vec::new();
    for Shard(entries) in &TABLE {
        let entries = entries.lock();
        let picked = entries.table.iter().filter(|entry| of(entry.space));
        states.extend(picked.map(|entry| entry.state()));
    }
    states
}

impl Entries {
    const fn new() -> Self {
        Self {
            table: HashTable::new(),
            next: 0,
        }
    }

    pub(super) fn find(&self, hash: u64, request: &Request) -> Option<&Entry> {
        self.table
            .find(hash, |entry| entry.is(request))
            .map(|entry| &**entry)
    }

    /// The entry of somebody who holds or awaits its lock.
    fn get(&mut self, id: EntryId) -> &mut Entry {
        self.table
            .find_mut(id.hash, |entry| entry.id == id)
            .expect("a lock that is held or awaited has an entry")
    }

    /// Takes the lock if nobody has it. Gives `holder` back if somebody does.
    ///
    /// Moves the key out of `request` where it makes an entry of it.
    pub(super) fn try_take(
        &mut self,
        hash: u64,
        request: &mut Request,
        holder: Holder,
    ) -> Result<Hold, Holder> {
        match self
            .table
            .entry(hash, |entry| entry.is(request), |entry| entry.id.hash)
        {
            hash_table::Entry::Occupied(entry) => entry.into_mut().try_take(holder),
            hash_table::Entry::Vacant(free) => {
                let id = EntryId {
                    hash,
                    number: self.next,
                };
                self.next += 1;
                free.insert(Box::new(Entry {
                    id,
                    space: request.space,
                    key: mem::take(&mut request.key),
                    holder: Some(holder),
                    queue: BTreeMap::new(),
                    next_ticket: 0,
                }));
                Ok(Hold { entry: id })
            }
        }
    }

    /// Takes the lock, or else joins the end of its queue and takes `waker` along.
    fn take_or_queue(
        &mut self,
        hash: u64,
        request: &mut Request,
        holder: Holder,
        waker: &mut Option<Waker>,
    ) -> Result<Hold, Place> {
        self.try_take(hash, request, holder).map_err(|holder| {
            let entry = self.table.find_mut(hash, |entry| entry.is(request));
            entry
                .expect("a busy lock has an entry")
                .enqueue(holder, waker.take())
        })
    }

    /// Ends a hold. Returns whom to wake.
    fn release(&mut self, id: EntryId) -> Option<Waker> {
        self.get(id).holder = None;
        self.pass_on(id)
    }

    /// Takes a waiter out of its queue. Returns whom to wake, and the waiter's own
    /// waker.
    fn leave(&mut self, Place { entry, ticket }: Place) -> (Option<Waker>, Option<Waker>) {
        match self.get(entry).queue.remove(&ticket) {
            Some(waiter) => (self.pass_on(entry), waiter.waker),
            None => (self.release(entry), None), // Handed over, by invariant 3.
        }
    }

    /// Restores invariants 1 and 2 after a holder or a waiter has left. Returns
    /// whom to wake.
    fn pass_on(&mut self, id: EntryId) -> Option<Waker> {
        let entry = self.get(id);
        if entry.holder.is_some() {
            return None;
        }
        let Some(mut first) = entry.queue.first_entry() else {
            self.remove(id);
            return None;
        };
        if first.get().since.elapsed() < PATIENCE {
            // It takes the lock, unless somebody is faster. There is no waker if it
            // was woken before and has not come yet: then once is enough.
            return first.get_mut().waker.take();
        }
        let waiter = first.remove();
        entry.holder = Some(waiter.holder);
        waiter.waker
    }

    /// Removes an idle entry.
    fn remove(&mut self, id: EntryId) {
        if let Ok(entry) = self.table.find_entry(id.hash, |entry| entry.id == id) {
            entry.remove();
        }
        // Keys that nobody uses cost no memory, but for room to grow again without
        // a resize at every other key.
        let (len, capacity) = (self.table.len(), self.table.capacity());
        if capacity > SMALL && len < capacity / 8 {
            self.table.shrink_to(2 * len, |entry| entry.id.hash);
        }
    }
}

impl Entry {
    fn is(&self, request: &Request) -> bool {
        self.space.id == request.space.id && self.key == request.key
    }

    /// Who has the lock; `None` while the waiter that was woken has not come yet.
    pub(super) const fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    fn state(&self) -> LockState {
        LockState {
            space: self.space.name,
            key: self.key.clone(),
            holder: self.holder.clone(),
            waiters: self.queue.len(),
        }
    }

    fn try_take(&mut self, holder: Holder) -> Result<Hold, Holder> {
        if self.holder.is_some() {
            return Err(holder);
        }
        self.holder = Some(holder);
        Ok(Hold { entry: self.id })
    }

    /// Joins the end of the queue of a lock that somebody holds.
    fn enqueue(&mut self, holder: Holder, waker: Option<Waker>) -> Place {
        debug_assert!(self.holder.is_some(), "nobody would wake the waiter");
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.queue.insert(
            ticket,
            Waiter {
                holder,
                waker,
                since: Instant::now(),
            },
        );
        Place {
            entry: self.id,
            ticket,
        }
    }

    /// Takes the lock for a waiter, with the waker that it left in the queue.
    ///
    /// If the waiter has to go on waiting, `waker` changes place with the one in
    /// the queue.
    fn retry(
        &mut self,
        ticket: Ticket,
        waker: &mut Option<Waker>,
    ) -> Option<(Hold, Option<Waker>)> {
        let entry = self.id;
        let btree_map::Entry::Occupied(mut place) = self.queue.entry(ticket) else {
            return Some((Hold { entry }, None)); // Handed over, by invariant 3.
        };
        if self.holder.is_some() {
            mem::swap(&mut place.get_mut().waker, waker);
            return None;
        }
        let waiter = place.remove();
        self.holder = Some(waiter.holder);
        Some((Hold { entry }, waiter.waker))
    }
}

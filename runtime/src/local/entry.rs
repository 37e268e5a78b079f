//! A lock that somebody awaits, or that its bucket has no place for.
//!
//! Invariants of an entry, whenever its shard's mutex is free:
//! 1. It has a holder or a waiter; else it is gone.
//! 2. If it has no holder, its first waiter has been woken (its `waker` is gone),
//!    and will try again or leave.
//! 3. The ticket of a waiter that did not leave is in the queue, or else the lock
//!    has been handed to that waiter.
//!
//! No foreign code runs under the mutex: wakers are made, called and dropped
//! outside it, so the methods here hand out every waker that they have no use for.

use super::identity::name_of;
use crate::key::Key;
use crate::site::{Holder, Record};
use crate::snapshot::LockState;
use std::collections::{BTreeMap, btree_map};
use std::mem;
use std::task::Waker;
use std::time::{Duration, Instant};

/// How long a waiter can be overtaken: from then on the lock is handed to it.
const PATIENCE: Duration = Duration::from_millis(1);

/// Where an entry is. It is there for as long as the owner of the id holds or
/// awaits the lock, by invariant 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryId {
    pub(super) hash: u64,
    /// Unique among the entries of the hash's shard.
    pub(super) number: u64,
}

pub(super) struct Entry {
    pub(super) id: EntryId,
    pub(super) space: u64,
    pub(super) key: Key,
    holder: Option<Record>,
    /// By ticket, which is the order of arrival.
    queue: BTreeMap<Ticket, Waiter>,
    next_ticket: Ticket,
}

/// The name of a waiter in its queue.
pub(super) type Ticket = u64;

/// A thread or a task in the queue.
struct Waiter {
    /// What the entry's holder becomes when this one has the lock.
    record: Record,
    /// `None` once it has been called, until the waiter tries again.
    waker: Option<Waker>,
    since: Instant,
}

/// What the mutex's owner does with an entry that somebody has left.
pub(super) enum Next {
    /// Removes it.
    Idle,
    /// Wakes a waiter, if there is a waker to call.
    Wake(Option<Waker>),
}

impl Entry {
    pub(super) fn new(id: EntryId, space: u64, key: Key, holder: Record) -> Self {
        let (queue, next_ticket) = (BTreeMap::new(), 0);
        Self {
            id,
            space,
            key,
            holder: Some(holder),
            queue,
            next_ticket,
        }
    }

    /// Who has the lock; `None` while the waiter that was woken has not come yet.
    pub(super) const fn holder(&self) -> Option<Record> {
        self.holder
    }

    pub(super) fn state(&self) -> LockState {
        LockState {
            space: name_of(self.space),
            key: self.key.clone(),
            holder: self.holder.map(Holder::from),
            waiters: self.queue.len(),
        }
    }

    /// Takes the lock if nobody has it.
    pub(super) fn try_take(&mut self, record: Record) -> bool {
        let free = self.holder.is_none();
        if free {
            self.holder = Some(record);
        }
        free
    }

    /// Joins the end of the queue of a lock that somebody holds.
    pub(super) fn enqueue(&mut self, record: Record, waker: Waker) -> Ticket {
        debug_assert!(self.holder.is_some(), "nobody would wake the waiter");
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let waiter = Waiter {
            record,
            waker: Some(waker),
            since: Instant::now(),
        };
        self.queue.insert(ticket, waiter);
        ticket
    }

    /// A waiter's next try. True if it has the lock now.
    ///
    /// If it has to go on waiting, `waker` changes place with the one in the queue;
    /// else the one in the queue, if it is still there, comes out in `spare`.
    pub(super) fn retry(
        &mut self,
        ticket: Ticket,
        waker: &mut Option<Waker>,
        spare: &mut Option<Waker>,
    ) -> bool {
        let btree_map::Entry::Occupied(mut waiting) = self.queue.entry(ticket) else {
            return true; // Handed over, by invariant 3.
        };
        if self.holder.is_some() {
            mem::swap(&mut waiting.get_mut().waker, waker);
            return false;
        }
        let waiter = waiting.remove();
        self.holder = Some(waiter.record);
        *spare = waiter.waker;
        true
    }

    /// Ends the hold.
    pub(super) fn release(&mut self) -> Next {
        self.holder = None;
        self.pass_on()
    }

    /// Takes a waiter out of the queue, or ends its hold if the lock was already
    /// handed to it. Its own waker comes out in `spare`.
    pub(super) fn leave(&mut self, ticket: Ticket, spare: &mut Option<Waker>) -> Next {
        match self.queue.remove(&ticket) {
            Some(waiter) => {
                *spare = waiter.waker;
                self.pass_on()
            }
            None => self.release(), // Handed over, by invariant 3.
        }
    }

    /// Restores invariants 1 and 2 after a holder or a waiter has left.
    fn pass_on(&mut self) -> Next {
        if self.holder.is_some() {
            return Next::Wake(None);
        }
        let Some(mut first) = self.queue.first_entry() else {
            return Next::Idle;
        };
        if first.get().since.elapsed() < PATIENCE {
            // It takes the lock, unless somebody is faster. There is no waker if it
            // was woken before and has not come yet: then once is enough.
            return Next::Wake(first.get_mut().waker.take());
        }
        let waiter = first.remove();
        self.holder = Some(waiter.record);
        Next::Wake(waiter.waker)
    }
}

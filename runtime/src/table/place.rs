//! Where a holder or a waiter is in the table.

use crate::ordered::Ranked;
use crate::owner::Owner;
use crate::sync::Ordering;
use crate::sync::ambient::AtomicU64;
use std::num::NonZeroU64;

/// How many may join, by its bucket alone, who holds a lock so. In a model few are many.
pub(crate) const SLOTS: usize = if cfg!(all(test, loom)) { 2 } else { 8 };

/// The name of a holder or a waiter, in the order of arrival; but of those who have joined by the bucket
/// alone in that of their slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(NonZeroU64);

impl Ticket {
    /// Of who took a lock by its bucket alone.
    pub(crate) const FIRST: Self = Self(NonZeroU64::MIN);
    pub(crate) const LAST: Self = Self(NonZeroU64::MAX);

    /// Of who joined by the bucket alone, in this slot.
    pub(crate) const fn of_slot(slot: usize) -> Self {
        Self(Self::FIRST.0.saturating_add(slot as u64 + 1))
    }

    /// The slot, if it is of one.
    pub(super) fn slot(self) -> Option<usize> {
        (0..SLOTS).find(|slot| Self::of_slot(*slot) == self)
    }

    /// What a hold of several locks has in place of one, see [`few`](super::few): more than any
    /// that is drawn. The word must not be 0.
    #[inline]
    pub(super) const fn of_few(word: u64) -> Self {
        Self(NonZeroU64::new(word).expect("a word with a mark"))
    }

    #[inline]
    pub(super) const fn word(self) -> u64 {
        self.0.get()
    }

    #[cfg(feature = "usdt")]
    pub(crate) const fn number(self) -> u64 {
        self.0.get()
    }

    /// Which of so many parts it is for, of which those that are drawn use one after the other.
    pub(crate) fn part(self, parts: usize) -> usize {
        usize::try_from(self.word() % parts as u64).unwrap_or(0)
    }

    /// One that no other waiter or holder has, before or after.
    pub(crate) fn draw() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(SLOTS as u64);
        let last = LAST.fetch_add(1, Ordering::Relaxed);
        Self(Self::FIRST.0.saturating_add(last + 1))
    }

    /// Whether it is of a hold that was taken by its bucket alone: there is one of them for each of
    /// these tickets in a bucket, whichever lock it is of.
    pub(crate) fn is_of_bucket(self) -> bool {
        self <= Self::of_slot(SLOTS - 1)
    }
}

/// Where an entry is. It is there for as long as the owner of the id holds or
/// awaits the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryId {
    pub(crate) hash: u64,
    /// Unique in the hash's shard. The remainder by the number of buckets is the index of its own.
    pub(crate) number: u64,
}

/// The place of a holder or a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) entry: EntryId,
    pub(crate) ticket: Ticket,
}

impl Place {
    pub(crate) const MIN: Self = Self {
        entry: EntryId { hash: 0, number: 0 },
        ticket: Ticket::FIRST,
    };
    pub(crate) const MAX: Self = Self {
        entry: EntryId {
            hash: u64::MAX,
            number: u64::MAX,
        },
        ticket: Ticket::LAST,
    };
}

impl Ranked for Ticket {
    fn rank(self) -> [u64; 4] {
        [self.word(), 0, 0, 0]
    }
}

impl Ranked for EntryId {
    fn rank(self) -> [u64; 4] {
        [self.hash, self.number, 0, 0]
    }
}

impl Ranked for Place {
    fn rank(self) -> [u64; 4] {
        [self.entry.hash, self.entry.number, self.ticket.word(), 0]
    }
}

impl Ranked for (Owner, Place) {
    fn rank(self) -> [u64; 4] {
        let (owner, Place { entry, ticket }) = self;
        [owner.word(), entry.hash, entry.number, ticket.word()]
    }
}

//! The fast path: a lock that one holder has and nobody else asks for.
//!
//! A key's hash picks a bucket. While at most one lock of a bucket is held, and
//! nobody waits, the bucket's word is all there is of that lock: taking it is one
//! compare-exchange and some plain stores that say who has what, and releasing it
//! another compare-exchange. Everything else (a second key, a waiter, somebody who
//! wants to know) first *inflates* the bucket: it turns what the holder wrote down
//! into an [`Entry`](super::entry::Entry), and from then on the mutex of the
//! bucket's shard rules, until the bucket's last entry is gone.
//!
//! | low half of the word | state | who may change it |
//! |---|---|---|
//! | 0 | free | anybody, to 1; with the shard's mutex, to 2 |
//! | 1 | thin: held, and the record says what and by whom | the holder, to 0; with the shard's mutex, to 2 × 2 |
//! | 2 × n | inflated: n entries and reservations | with the shard's mutex |
//!
//! The high half counts the thin holds. The record is written after the word, by
//! plain stores, and last of them `recorded`, with the same count: so whoever finds
//! the word thin can tell the record of this hold from that of the one before it.

use crate::key::{self, Key, WORDS};
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::sync::{AtomicRef, AtomicU64, Ordering, spin};
use std::panic::Location;

const FREE: u64 = 0;
const THIN: u64 = 1;
const ENTRY: u64 = 2;

/// One thin hold, in the high half of the word and of `recorded`.
const HOLD: u64 = 1 << 32;

/// In the low half of `recorded`: the lock's space is fair.
const FAIR: u64 = 1 << 16;

const fn low(word: u64) -> u64 {
    word % HOLD
}

const fn holds(word: u64) -> u64 {
    word / HOLD
}

/// Aligned so that two buckets never share a cache line, nor a pair of lines that
/// the processor fetches together.
#[cfg_attr(all(test, loom), derive(Default))]
#[repr(align(128))]
pub(super) struct Bucket {
    /// See the table at the head of this file.
    word: AtomicU64,
    /// For which thin hold the record is complete; and in the low half the length of
    /// its key, and [`FAIR`].
    recorded: AtomicU64,
    space: AtomicU64,
    owner: AtomicU64,
    function: AtomicRef<&'static str>,
    location: AtomicRef<Location<'static>>,
    text: [AtomicU64; WORDS],
}

/// What a thin holder has written down.
pub(super) struct ThinHold {
    pub(super) space: u64,
    pub(super) key: Key,
    pub(super) fair: bool,
    pub(super) record: Record,
}

impl Bucket {
    /// How long a text a thin holder can write down.
    pub(super) const TEXT: usize = WORDS * size_of::<u64>();

    #[cfg(not(all(test, loom)))]
    pub(super) const fn new() -> Self {
        Self {
            word: AtomicU64::new(FREE),
            recorded: AtomicU64::new(0),
            space: AtomicU64::new(0),
            owner: AtomicU64::new(0),
            function: AtomicRef::none(),
            location: AtomicRef::none(),
            text: [const { AtomicU64::new(0) }; WORDS],
        }
    }

    /// Takes a lock of a bucket in which none is held or awaited. The key's text is at most
    /// [`Bucket::TEXT`] bytes long.
    #[inline]
    pub(super) fn try_take(&self, space: u64, text: &[u8], fair: bool, record: Record) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        if low(word) != FREE {
            return false;
        }
        let thin = word.wrapping_add(HOLD) + THIN;
        // Acquire pairs with the release in `release` and `unreserve`: what was done
        // under the lock before is done.
        if self
            .word
            .compare_exchange(word, thin, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        self.space.store(space, Ordering::Relaxed);
        self.owner.store(record.owner.word(), Ordering::Relaxed);
        self.function.store(record.site.function, Ordering::Relaxed);
        self.location
            .store(Some(record.site.location), Ordering::Relaxed);
        for (place, word) in self.text.iter().zip(key::words(text)) {
            place.store(word, Ordering::Relaxed);
        }
        // Release pairs with the acquire in `record`: the record is complete.
        let about = text.len() as u64 | if fair { FAIR } else { 0 };
        self.recorded.store(thin - THIN + about, Ordering::Release);
        true
    }

    /// Ends a thin hold. False if the bucket has been inflated meanwhile; then the
    /// lock is an entry.
    #[inline]
    pub(super) fn release(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        // Release pairs with the acquire in `try_take` and `reserve`: what was done
        // under the lock is done.
        low(word) == THIN
            && self
                .word
                .compare_exchange(word, word - THIN, Ordering::Release, Ordering::Relaxed)
                .is_ok()
    }

    /// Whether the shard's mutex rules. A hint: by now it may have changed.
    pub(super) fn is_inflated(&self) -> bool {
        low(self.word.load(Ordering::Relaxed)) > THIN
    }

    /// Inflates the bucket, or keeps it so, until [`Bucket::unreserve`]. Returns
    /// what is to become an entry. The shard's mutex must be locked.
    pub(super) fn reserve(&self) -> Option<ThinHold> {
        let inflate = |word| match low(word) {
            THIN => Some(word - THIN + 2 * ENTRY),
            _ => Some(word + ENTRY),
        };
        // Acquire pairs with the release in `release` and `unreserve`.
        let word = self
            .word
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, inflate);
        let word = word.expect("a bucket can always be inflated");
        (low(word) == THIN).then(|| self.record(holds(word)))
    }

    /// Ends a reservation; without one left, and without an entry, the bucket is
    /// free. The shard's mutex must be locked.
    pub(super) fn unreserve(&self) {
        let word = self.word.load(Ordering::Relaxed);
        // Release pairs with the acquire in `try_take`: the entries' last holders
        // have released under the mutex, before this.
        self.word.store(word - ENTRY, Ordering::Release);
    }

    #[cfg(all(test, loom))]
    pub(super) fn is_free(&self) -> bool {
        low(self.word.load(Ordering::Relaxed)) == FREE
    }

    /// What the holder of this thin hold has written down. Waits for it to finish,
    /// which takes it a few instructions.
    fn record(&self, hold: u64) -> ThinHold {
        // Acquire pairs with the release in `try_take`. The stores of the next hold
        // are no danger: there is none before the bucket is free again.
        let recorded = spin(|| {
            let recorded = self.recorded.load(Ordering::Acquire);
            (holds(recorded) == hold).then_some(recorded)
        });
        let words = self
            .text
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed));
        let key = Key::from_words(words, low(recorded) % FAIR);
        let location = self.location.load(Ordering::Relaxed);
        let record = Record {
            owner: Owner::from_word(self.owner.load(Ordering::Relaxed)),
            site: Site {
                function: self.function.load(Ordering::Relaxed),
                location: location.expect("a complete record has a location"),
            },
        };
        let space = self.space.load(Ordering::Relaxed);
        ThinHold {
            space,
            key,
            fair: recorded & FAIR != 0,
            record,
        }
    }
}

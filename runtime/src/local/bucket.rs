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
//! | word | state | who may change it |
//! |---|---|---|
//! | 0 | free | anybody: to 1, and with the shard's mutex to 2 |
//! | 1 | thin: held, and the record says what and by whom | the holder, to 0; with the shard's mutex: to 2 × 2 |
//! | 2 × n | inflated: n entries and reservations | with the shard's mutex |
//!
//! The record is written after the word, by plain stores; `recorded` says that it
//! is complete. It is cleared before the word is, so whoever sees a thin word sees
//! `recorded` of this hold or zero, never of an earlier hold.

use crate::key::{self, Key, WORDS};
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::sync::{AtomicRef, AtomicU64, Ordering, spin};
use std::panic::Location;

const FREE: u64 = 0;
const THIN: u64 = 1;
const ENTRY: u64 = 2;

/// Aligned so that two buckets never share a cache line, nor a pair of lines that
/// the processor fetches together.
#[repr(align(128))]
pub(super) struct Bucket {
    /// See the table at the head of this file.
    word: AtomicU64,
    /// The length of the thin holder's key plus one, once the record is complete.
    recorded: AtomicU64,
    space: AtomicU64,
    owner: AtomicU64,
    function: AtomicRef<&'static str>,
    location: AtomicRef<Location<'static>>,
    text: [AtomicU64; WORDS],
}

impl Bucket {
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

    /// Takes a lock of a bucket in which none is held or awaited.
    #[inline]
    pub(super) fn try_take(&self, space: u64, text: &[u8], record: Record) -> bool {
        let Some(words) = key::words(text) else {
            return false;
        };
        // Acquire pairs with the release in `release` and `unreserve`: what was done
        // under the lock before is done.
        if self
            .word
            .compare_exchange(FREE, THIN, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        self.space.store(space, Ordering::Relaxed);
        self.owner.store(record.owner.word(), Ordering::Relaxed);
        self.function.store(record.site.function, Ordering::Relaxed);
        self.location
            .store(Some(record.site.location), Ordering::Relaxed);
        for (place, word) in self.text.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        // Release pairs with the acquire in `record`: the record is complete.
        self.recorded
            .store(text.len() as u64 + 1, Ordering::Release);
        true
    }

    /// Ends a thin hold. False if the bucket has been inflated meanwhile; then the
    /// lock is an entry.
    #[inline]
    pub(super) fn release(&self) -> bool {
        let recorded = self.recorded.load(Ordering::Relaxed);
        self.recorded.store(0, Ordering::Relaxed);
        // Release pairs with the acquire in `try_take` and `reserve`, both for what
        // was done under the lock and for `recorded`.
        let released = self
            .word
            .compare_exchange(THIN, FREE, Ordering::Release, Ordering::Relaxed)
            .is_ok();
        if !released {
            // Who inflates may still be waiting for it, with the mutex locked.
            self.recorded.store(recorded, Ordering::Release);
        }
        released
    }

    /// Inflates the bucket, or keeps it so, until [`Bucket::unreserve`]. Returns
    /// what is to become an entry. The shard's mutex must be locked.
    pub(super) fn reserve(&self) -> Option<(u64, Key, Record)> {
        loop {
            let word = self.word.load(Ordering::Relaxed);
            let inflated = if word == THIN {
                2 * ENTRY
            } else {
                word + ENTRY
            };
            // Acquire pairs with the release in `release` and `unreserve`.
            let done =
                self.word
                    .compare_exchange(word, inflated, Ordering::Acquire, Ordering::Relaxed);
            match done {
                Ok(THIN) => return Some(self.record()),
                Ok(_) => return None,
                Err(_) => {} // The holder released, or a newcomer took the lock.
            }
        }
    }

    /// Ends a reservation; without one left, and without an entry, the bucket is
    /// free. The shard's mutex must be locked.
    pub(super) fn unreserve(&self) {
        let word = self.word.load(Ordering::Relaxed);
        // Release pairs with the acquire in `try_take`: the entries' last holders
        // have released under the mutex, before this.
        self.word.store(word - ENTRY, Ordering::Release);
    }

    /// What the thin holder has written down. Waits for it to finish, which takes
    /// it a few instructions.
    fn record(&self) -> (u64, Key, Record) {
        let recorded = spin(|| match self.recorded.load(Ordering::Acquire) {
            0 => None,
            recorded => Some(recorded),
        });
        let words = self
            .text
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed));
        let key = Key::from_words(words, recorded - 1);
        let location = self.location.load(Ordering::Relaxed);
        let record = Record {
            owner: Owner::from_word(self.owner.load(Ordering::Relaxed)),
            site: Site {
                function: self.function.load(Ordering::Relaxed),
                location: location.expect("a complete record has a location"),
            },
        };
        (self.space.load(Ordering::Relaxed), key, record)
    }
}

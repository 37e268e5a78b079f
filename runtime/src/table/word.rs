//! The word of a bucket: whether one of its locks is held thin, by whom, and who may still join.
//!
//! | word | state | who may change it |
//! |---|---|---|
//! | 0 | free; there may be an entry that is [ajar](super::ajar) | anybody, to a hold's; with the shard's mutex, to [`ENTRY`], and one more for that entry |
//! | a hash | thin: the lock of that hash is held, by one who holds it alone; the record says by whom, once it is complete | the holder, to 0 or as below; with the shard's mutex, to [`ENTRY`] × 2, and one more for an entry that is ajar, unless it is that lock's |
//! | the same without [`SHORT`] | its text is on the heap, since there is no room for it in the record | as above |
//! | the same without [`ALONE`] | it is held shared, or has several permits | as above; whoever has room beside the holders, to that without a slot's bit |
//! | the same without the bits of some slots | so many have joined, or the holder has gone in again | as above |
//! | ... and without [`FIRST`] | who held it first has released it | as above |
//! | [`ENTRY`] × n | inflated: n entries and reservations | with the shard's mutex, also to that of a lock whose entry is the only one; to 0 when none is left, or when the only one is ajar |
//!
//! A [`hash`](super::hash()) has all these bits, so that it is the word of who holds alone, and taking that
//! takes no step more. They are above those by which a [bucket](super::bucket::index) is chosen, and away from
//! those that choose among its [entries](super::entries).
//!
//! So who finds the word thin sees whether its own lock is held, or another one. That is a hint, since the
//! locks of two keys can have one hash: who counts on it compares the record.
//!
//! # The word of a hold
//!
//! A hold has a word of its own, of which the hash and the ticket can be told. What was taken first has
//! that of the bucket, and is released by the exchange of that for 0, which fails if somebody else has
//! come in. What has joined has the hash without its slot's bit, and without [`SHORT`], by which it
//! is seen that no such exchange releases it; it is seen so too of a text on the heap.

use super::place::{SLOTS, Ticket};
use crate::key::uuid::UuidText;

/// The hash of a lock's name.
#[cfg(not(all(test, loom)))]
#[expect(clippy::inline_always, reason = "a call costs about as much")]
#[inline(always)]
pub(crate) fn hash(space: u64, text: &[u8]) -> u64 {
    super::hash::hash(space, text) | STATES
}

/// The same of a UUID's.
#[cfg(not(all(test, loom)))]
#[inline]
pub(crate) fn hash_uuid(space: u64, text: UuidText) -> u64 {
    super::hash::hash_uuid(space, text) | STATES
}

/// In a model the first digit says which bucket: 0 and 1 are in one shard.
#[cfg(all(test, loom))]
pub(crate) fn hash(_space: u64, text: &[u8]) -> u64 {
    u64::from(text[0] - b'0') | STATES
}

/// In a model there is none whose text this isn't.
#[cfg(all(test, loom))]
pub(crate) fn hash_uuid(space: u64, text: UuidText) -> u64 {
    hash(space, &text.0[0].to_le_bytes())
}

pub(super) const FREE: u64 = 0;
const THIN: u64 = 1 << 12;
/// What an inflated word has more for each entry and reservation: so that however many there are, it
/// is never taken for a thin one.
pub(super) const ENTRY: u64 = 2 * THIN;
/// The text of the thin hold is in the record.
pub(super) const SHORT: u64 = 1 << 13;
/// The hold that was taken first is still there.
pub(super) const FIRST: u64 = 1 << 14;
/// Nobody else may join.
pub(super) const ALONE: u64 = 1 << 15;
/// That of the first slot, which nobody has. Those of the others are above it.
const SLOT: u64 = 1 << 16;
const ALL_SLOTS: u64 = (SLOT << SLOTS) - SLOT;

/// What each hash has, besides those bits that differ.
pub(super) const STATES: u64 = THIN | SHORT | FIRST | ALONE | ALL_SLOTS;

#[inline]
pub(super) const fn is_thin(word: u64) -> bool {
    word & THIN != 0
}

/// Whether the lock of the hash is held thin.
pub(super) const fn is_of(word: u64, hash: u64) -> bool {
    is_thin(word) && word | STATES == hash
}

/// Whether others may join who hold the lock of a thin word.
pub(super) const fn is_joint(word: u64) -> bool {
    word & ALONE == 0
}

/// How many hold the lock of a thin word.
pub(super) const fn holders(word: u64) -> u32 {
    let first = (word & FIRST != 0) as u32;
    first + (!word & ALL_SLOTS).count_ones()
}

/// A slot of a thin word that nobody has.
pub(super) fn free_slot(word: u64) -> Option<usize> {
    lowest_slot(word)
}

/// Whether a slot of a thin word is somebody's.
pub(super) const fn is_taken(word: u64, slot: usize) -> bool {
    word & SLOT << slot == 0
}

/// The first slot whose bit is set.
fn lowest_slot(word: u64) -> Option<usize> {
    let slots = word & ALL_SLOTS;
    (slots != 0).then(|| (slots / SLOT).trailing_zeros() as usize)
}

/// The same word with the hold of a slot.
pub(super) const fn with_slot(word: u64, slot: usize) -> u64 {
    word & !(SLOT << slot)
}

/// The word of a lock that these tickets hold, by that of its first holder.
pub(super) fn of_holders(word: u64, tickets: impl Iterator<Item = Ticket>) -> u64 {
    tickets.fold(word & !FIRST, |word, ticket| match ticket.slot() {
        Some(slot) => with_slot(word, slot),
        None => word | FIRST,
    })
}

/// The same word without the hold of a ticket.
pub(super) fn without(word: u64, ticket: Ticket) -> u64 {
    match ticket.slot() {
        Some(slot) => word | SLOT << slot,
        None => word & !FIRST,
    }
}

/// The word of a hold that has joined.
pub(super) const fn of_slot(hash: u64, slot: usize) -> u64 {
    with_slot(hash & !SHORT, slot)
}

/// Whether a hold of this word is released by the exchange of the word, if it is alone.
#[inline]
pub(super) const fn has_exchange(word: u64) -> bool {
    word & SHORT != 0
}

/// The hash of the lock, and the ticket, by the word of a hold.
pub(super) fn hold(word: u64) -> (u64, Ticket) {
    let ticket = lowest_slot(!word).map_or(Ticket::FIRST, Ticket::of_slot);
    (word | STATES, ticket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_of_a_hold_tells_its_hash_and_its_ticket() {
        let hash = 0x0123_4567_89AB_CDEF | STATES;
        for first in [hash, hash & !ALONE, hash & !SHORT, hash & !ALONE & !SHORT] {
            assert_eq!(hold(first), (hash, Ticket::FIRST));
        }
        for slot in 0..SLOTS {
            assert_eq!(hold(of_slot(hash, slot)), (hash, Ticket::of_slot(slot)));
        }
    }
}

//! The entries of a shard, in a hash table.
//!
//! A bucket is chosen by the lowest bits of a hash, and above them are the [states](super::word) of a word. So
//! that the hash table takes those bits which are left, it is given the hash turned round.

use super::entry::Entry;
use super::word;
use hashbrown::{HashTable, hash_table};

/// A table with room for no more entries than this keeps its memory.
const SMALL: usize = 32;

pub(super) struct Entries(HashTable<Box<Entry>>);

impl Entries {
    pub(super) const fn new() -> Self {
        Self(HashTable::new())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().map(|entry| &**entry)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.iter_mut().map(|entry| &mut **entry)
    }

    pub(super) fn find(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> Option<&mut Entry> {
        let entry = self.0.find_mut(turned(hash), |entry| is_it(entry))?;
        Some(entry)
    }

    /// The entry, or the place where it is to be.
    pub(super) fn entry(
        &mut self,
        hash: u64,
        is_it: impl Fn(&Entry) -> bool,
    ) -> hash_table::Entry<'_, Box<Entry>> {
        self.0.entry(turned(hash), |entry| is_it(entry), rehash)
    }

    /// Adds an entry that isn't there.
    pub(super) fn insert(&mut self, hash: u64, entry: Entry) {
        self.0.insert_unique(turned(hash), Box::new(entry), rehash);
    }

    /// Removes an entry. Says whether it was there.
    pub(super) fn remove(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> bool {
        let entry = self.0.find_entry(turned(hash), |entry| is_it(entry));
        let is_there = entry.map(|entry| drop(entry.remove())).is_ok();
        // Keys that nobody uses cost no memory, but for room to grow again without
        // a resize at every other key.
        let (len, capacity) = (self.0.len(), self.0.capacity());
        if capacity > SMALL && len < capacity / 8 {
            self.0.shrink_to(2 * len, rehash);
        }
        is_there
    }
}

/// The hash of an entry, which doesn't keep it: a table that grows is seldom.
pub(super) fn hash_of(entry: &Entry) -> u64 {
    word::hash(entry.space, entry.key.as_bytes())
}

#[expect(clippy::borrowed_box, reason = "the table's element")]
fn rehash(entry: &Box<Entry>) -> u64 {
    turned(hash_of(entry))
}

const fn turned(hash: u64) -> u64 {
    hash.rotate_right(32)
}

//! The entries of a shard, in a hash table.
//!
//! Where a million locks are held, nearly all of the time to take another one goes by waiting for memory that is
//! in no cache. So this is a table in which that happens once: an entry's place has its hash in it, beside the
//! [pointer](super::packed), and those of one hash stand behind each other. Whoever looks for one passes over the others
//! in the same line of the cache, and the table grows without a look at any entry.
//!
//! A hash has a home, in the order of the hashes; an entry is there, or in the first place behind it that was free.
//! So no place between an entry and its home is free, for which the others move up when one goes. The last place is
//! before the first one.
//!
//! A bucket is chosen by the lowest bits of a hash, and above them are the [states](super::word) of a word. So the
//! table takes those bits which are left: the upper half.

use super::ahead::Ahead;
use super::entry::{Entry, Head};
use super::packed::Packed;
use super::word;
use std::{iter, mem};

/// How many places a table has that isn't empty.
const FEWEST: usize = 8;

/// A table with no more places than this keeps its memory.
const SMALL: usize = 32;

pub(super) struct Entries {
    places: Vec<Option<Packed>>,
    len: usize,
}

/// A place where an entry is to be.
pub(super) struct Free<'a> {
    table: &'a mut Entries,
    place: usize,
    hash: u32,
}

/// What there is of an entry that is looked for.
pub(super) enum Found<'a> {
    Entry(&'a mut Entry),
    Free(Free<'a>),
}

impl<'a> Free<'a> {
    /// Adds the entry.
    pub(super) fn fill(self, head: Head, text: &[u8]) -> &'a mut Entry {
        self.table.len += 1;
        self.table.places[self.place].insert(Packed::new(self.hash, head, text))
    }
}

impl Entries {
    pub(super) const fn new() -> Self {
        Self {
            places: Vec::new(),
            len: 0,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.places.iter().flatten().map(|entry| &**entry)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.places.iter_mut().flatten().map(|entry| &mut **entry)
    }

    pub(super) fn find(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) -> Option<&mut Entry> {
        let place = self.place(upper(hash), is_it).ok()?;
        self.places.get_mut(place)?.as_deref_mut()
    }

    /// The entry, or the place where it is to be.
    pub(super) fn find_or_free(
        &mut self,
        hash: u64,
        ahead: &Ahead,
        is_it: impl Fn(&Entry) -> bool,
    ) -> Found<'_> {
        self.make_room(ahead);
        let hash = upper(hash);
        match self.place(hash, is_it) {
            Ok(place) => Found::Entry(self.places[place].as_mut().expect("it was found")),
            Err(place) => Found::Free(Free {
                table: self,
                place,
                hash,
            }),
        }
    }

    /// Removes an entry. Says whether it was there.
    pub(super) fn remove(
        &mut self,
        hash: u64,
        ahead: &Ahead,
        is_it: impl Fn(&Entry) -> bool,
    ) -> bool {
        let Ok(place) = self.place(upper(hash), is_it) else {
            return false;
        };
        self.places[place] = None;
        self.len -= 1;
        self.close(place);
        // Keys that nobody uses cost no memory, but for room to grow again without
        // a resize at every other key.
        if self.places.len() > SMALL && 8 * self.len < self.places.len() {
            self.resize(2 * self.len, ahead);
        }
        true
    }

    /// Where an entry is; else where it is to be. There is a free place, unless there are none at all.
    fn place(&self, hash: u32, is_it: impl Fn(&Entry) -> bool) -> Result<usize, usize> {
        let mut place = self.home(hash);
        while let Some(Some(entry)) = self.places.get(place) {
            if entry.hash() == hash && is_it(entry) {
                return Ok(place);
            }
            place = self.next(place);
        }
        Err(place)
    }

    /// In the order of the hashes: so a table that grows is gone through from one end to the other, and
    /// so is the new one.
    fn home(&self, hash: u32) -> usize {
        home(hash, self.places.len())
    }

    /// Asks for the memory where an entry is, or is to be.
    #[inline]
    pub(super) fn ask_for(hash: u64, ahead: &Ahead) {
        ahead.ask_for::<Option<Packed>>(|places| home(upper(hash), places));
    }

    fn next(&self, place: usize) -> usize {
        let next = place + 1;
        if next == self.places.len() { 0 } else { next }
    }

    /// How far a place is behind another one.
    fn distance(&self, from: usize, to: usize) -> usize {
        if from <= to {
            to - from
        } else {
            to + self.places.len() - from
        }
    }

    /// Moves up those behind a place that has become free, each unless it would come before its home.
    fn close(&mut self, mut free: usize) {
        let mut place = self.next(free);
        while let Some(entry) = &self.places[place] {
            let home = self.home(entry.hash());
            if self.distance(home, place) >= self.distance(free, place) {
                self.places.swap(free, place);
                free = place;
            }
            place = self.next(place);
        }
    }

    /// Sees to it that a quarter of the places is free after the next entry.
    fn make_room(&mut self, ahead: &Ahead) {
        let places = self.places.len();
        if 4 * (self.len + 1) > 3 * places {
            self.resize(places + places / 2, ahead);
        }
    }

    #[cold]
    fn resize(&mut self, places: usize, ahead: &Ahead) {
        let places = iter::repeat_with(|| None).take(places.max(FEWEST));
        let entries = mem::replace(&mut self.places, places.collect());
        for entry in entries.into_iter().flatten() {
            let (Ok(place) | Err(place)) = self.place(entry.hash(), |_| false);
            self.places[place] = Some(entry);
        }
        ahead.tell(&self.places);
    }
}

/// The hash of an entry, of which its place has only half.
#[inline(never)]
pub(super) fn hash_of(entry: &Entry) -> u64 {
    word::hash(entry.space, &entry.text)
}

fn home(hash: u32, places: usize) -> usize {
    ((u64::from(hash) * places as u64) >> u32::BITS) as usize
}

const fn upper(hash: u64) -> u32 {
    (hash >> u32::BITS) as u32
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::owner::Owner;
    use crate::site::{Record, Site};
    use crate::table::occupant::Occupant;
    use crate::table::place::Ticket;
    use crate::table::policy::{Mode, Policy};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::ptr;

    /// The entry of a number.
    fn add(entries: &mut Entries, ahead: &Ahead, hash: u64, number: u64) {
        let (owner, site) = (Owner::UNKNOWN, Site::here());
        let policy = Policy {
            permits: 1,
            fair: false,
        };
        let holder = Occupant::new(Record { owner, site });
        let head = Head::new(
            (number, false),
            0,
            policy,
            Mode::Exclusive,
            (Ticket::FIRST, holder),
        );
        match entries.find_or_free(hash, ahead, |entry| entry.number == number) {
            Found::Entry(entry) => assert_eq!(entry.number, number),
            Found::Free(free) => assert_eq!(free.fill(head, b"key").number, number),
        }
    }

    fn has(entries: &mut Entries, hash: u64, number: u64) -> bool {
        let found = entries.find(hash, |entry| entry.number == number);
        found.is_some_and(|entry| entry.number == number)
    }

    /// Whether the memory that comes is that of the home of a hash, if there are places.
    fn is_asked_for(entries: &Entries, ahead: &Ahead, hash: u64) -> bool {
        let home = entries.places.get(entries.home(upper(hash)));
        let address = ahead.address::<Option<Packed>>(|places| super::home(upper(hash), places));
        home.is_none_or(|home| ptr::from_ref(home).addr() == address)
    }

    /// A few hashes, at both ends of a table and in its middle, so that those of several stand between
    /// each other, and around the end.
    fn hash(number: u64) -> u64 {
        let hashes = [0, 1 << 63, u64::MAX, u64::MAX - (1 << 60), 1 << 60];
        hashes[usize::try_from(number % 5).unwrap()]
    }

    proptest! {
        #[test]
        fn each_entry_is_found_until_it_is_removed(steps in prop::collection::vec((0_u64..60, any::<bool>()), 0..300)) {
            let (mut entries, ahead, mut numbers) = (Entries::new(), Ahead::new(), BTreeSet::new());
            for (number, is_new) in steps {
                let is_it = |entry: &Entry| entry.number == number;
                if is_new {
                    add(&mut entries, &ahead, hash(number), number);
                    numbers.insert(number);
                } else {
                    prop_assert_eq!(entries.remove(hash(number), &ahead, is_it), numbers.remove(&number));
                }
                for number in 0..60 {
                    prop_assert_eq!(has(&mut entries, hash(number), number), numbers.contains(&number));
                    prop_assert!(is_asked_for(&entries, &ahead, hash(number)));
                }
                prop_assert!(entries.iter().map(|entry| entry.number).collect::<BTreeSet<_>>() == numbers);
                prop_assert_eq!(entries.is_empty(), numbers.is_empty());
            }
        }
    }

    #[test]
    fn memory_of_those_that_are_gone_is_given_back() {
        const MANY: u64 = 10_000;
        let hash = |number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (mut entries, ahead) = (Entries::new(), Ahead::new());
        (0..MANY).for_each(|number| add(&mut entries, &ahead, hash(number), number));
        assert!((0..MANY).all(|number| has(&mut entries, hash(number), number)));
        assert!(entries.places.len() < 2 * 10_000);
        for number in 0..MANY {
            assert!(entries.remove(hash(number), &ahead, |entry| entry.number == number));
            assert!(is_asked_for(&entries, &ahead, hash(number)));
            assert!(entries.places.len() <= SMALL || entries.places.len() <= 8 * entries.len);
        }
        assert!(entries.is_empty() && entries.places.len() <= SMALL);
    }
}

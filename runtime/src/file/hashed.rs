//! A table of what is found by a hash. Those of one hash are told apart by who asks.

use std::mem;

/// By the last bits of the hash, with at most one in a place on average.
#[derive(Debug)]
pub(super) struct Hashed<T> {
    places: Vec<Vec<(u64, T)>>,
    length: usize,
}

impl<T> Hashed<T> {
    pub(super) const fn new() -> Self {
        Self {
            places: Vec::new(),
            length: 0,
        }
    }

    /// Adds one more of this hash.
    pub(super) fn insert(&mut self, hash: u64, item: T) {
        if self.length == self.places.len() {
            self.grow();
        }
        self.length += 1;
        if let Some(place) = self.place_mut(hash) {
            place.push((hash, item));
        }
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        let place = self.places.get(self.index(hash))?;
        let mut items = place.iter();
        let (_, item) = items.find(|(other, item)| *other == hash && is_it(item))?;
        Some(item)
    }

    pub(super) fn find_mut(&mut self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        let mut items = self.place_mut(hash)?.iter_mut();
        let (_, item) = items.find(|(other, item)| *other == hash && is_it(item))?;
        Some(item)
    }

    pub(super) fn remove(&mut self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let place = self.place_mut(hash)?;
        let index = place
            .iter()
            .position(|(other, item)| *other == hash && is_it(item))?;
        let (_, item) = place.swap_remove(index);
        if place.is_empty() {
            *place = Vec::new(); // Gives its memory back.
        }
        self.length -= 1;
        Some(item)
    }

    /// In no order.
    pub(super) fn for_each(&self, mut see: impl FnMut(&T)) {
        for (_, item) in self.places.iter().flatten() {
            see(item);
        }
    }

    /// Beyond the end if there is no place yet.
    fn index(&self, hash: u64) -> usize {
        let last = self.places.len().wrapping_sub(1);
        #[expect(clippy::cast_possible_truncation, reason = "the last bits count")]
        let hash = hash as usize;
        hash & last
    }

    fn place_mut(&mut self, hash: u64) -> Option<&mut Vec<(u64, T)>> {
        let index = self.index(hash);
        self.places.get_mut(index)
    }

    #[cold]
    fn grow(&mut self) {
        let length = (2 * self.places.len()).max(8);
        let mut places = Vec::new();
        places.resize_with(length, Vec::new);
        for (hash, item) in mem::replace(&mut self.places, places).into_iter().flatten() {
            if let Some(place) = self.place_mut(hash) {
                place.push((hash, item));
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Of few hashes, so that several have the same one.
        #[test]
        fn what_was_put_in_is_found_until_it_is_taken_out(steps in prop::collection::vec((0_u64..40, any::<bool>()), 0..120)) {
            let (mut table, mut there) = (Hashed::new(), Vec::new());
            for (number, is_new) in steps {
                let hash = number % 20;
                if is_new && !there.contains(&number) {
                    table.insert(hash, number);
                    there.push(number);
                } else {
                    let is_there = there.contains(&number).then_some(number);
                    prop_assert_eq!(table.remove(hash, |one| *one == number), is_there);
                    there.retain(|one| *one != number);
                }
                let mut seen = Vec::new();
                table.for_each(|one| seen.push(*one));
                seen.sort_unstable();
                there.sort_unstable();
                prop_assert_eq!(&seen, &there);
                let mut empty = table.places.iter().filter(|place| place.is_empty());
                prop_assert!(empty.all(|place| place.capacity() == 0));
                for number in 0..40 {
                    let found = table.find(number % 20, |one| *one == number).copied();
                    prop_assert_eq!(found, there.contains(&number).then_some(number));
                    let found = table.find_mut(number % 20, |one| *one == number).copied();
                    prop_assert_eq!(found, there.contains(&number).then_some(number));
                }
            }
        }
    }
}

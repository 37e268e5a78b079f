//! A table of what is found by a hash, whose code is mostly that of the [ordered](crate::ordered) maps, which is
//! compiled in any case. Those of one hash are told apart by who asks.

use crate::ordered::OrderedMap;

#[derive(Debug)]
pub(super) struct Hashed<T>(OrderedMap<u64, Vec<T>>);

impl<T> Hashed<T> {
    pub(super) const fn new() -> Self {
        Self(OrderedMap::new())
    }

    /// Adds one more of this hash.
    pub(super) fn insert(&mut self, hash: u64, item: T) {
        self.0.get_or_default(hash).push(item);
    }

    pub(super) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        self.0.get(&hash)?.iter().find(|item| is_it(item))
    }

    pub(super) fn find_mut(&mut self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        let items = self.0.get_mut(&hash)?;
        items.iter_mut().find(|item| is_it(item))
    }

    pub(super) fn remove(&mut self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let items = self.0.get_mut(&hash)?;
        let place = items.iter().position(is_it)?;
        let item = items.swap_remove(place);
        if items.is_empty() {
            self.0.remove(&hash);
        }
        Some(item)
    }

    /// In no order.
    pub(super) fn for_each(&self, mut see: impl FnMut(&T)) {
        for items in self.0.values() {
            items.iter().for_each(&mut see);
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
        fn what_was_put_in_is_found_until_it_is_taken_out(steps in prop::collection::vec((0_u64..12, any::<bool>()), 0..60)) {
            let (mut table, mut there) = (Hashed::new(), Vec::new());
            for (number, is_new) in steps {
                let hash = number % 4;
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
                for number in 0..12 {
                    let found = table.find(number % 4, |one| *one == number).copied();
                    prop_assert_eq!(found, there.contains(&number).then_some(number));
                    let found = table.find_mut(number % 4, |one| *one == number).copied();
                    prop_assert_eq!(found, there.contains(&number).then_some(number));
                }
            }
        }
    }
}

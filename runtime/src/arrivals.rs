//! A map of those who come one after the other, in that order: of waiters mostly.
//!
//! Each new key is greater than all before it. So the pairs stand behind each other in memory, in
//! order, and who serves them in turn reads it from one end to the other; in a tree, the waiters of a
//! crowd would be wherever it had a place for them. Who goes out of turn leaves a gap, until there are more
//! gaps than pairs. Neither end is a gap.
//!
//! A key is mostly as far from the first one as its place is, and never closer: so its place is known, or at
//! least that it is no later one.

use crate::ordered::Ranked;
use std::collections::VecDeque;

/// A map to which each new key is the greatest.
pub(crate) struct Arrivals<K, V> {
    places: VecDeque<(K, Option<V>)>,
    /// How many of the places are gaps.
    gaps: usize,
}

impl<K, V> Arrivals<K, V> {
    pub(crate) const fn new() -> Self {
        Self {
            places: VecDeque::new(),
            gaps: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.gaps
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> + Clone {
        self.places.iter().filter_map(pair)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.places
            .iter_mut()
            .filter_map(|(_, value)| value.as_mut())
    }

    pub(crate) fn first(&self) -> Option<(&K, &V)> {
        pair(self.places.front()?)
    }
}

fn pair<K, V>((key, value): &(K, Option<V>)) -> Option<(&K, &V)> {
    Some((key, value.as_ref()?))
}

impl<K: Ranked, V> Arrivals<K, V> {
    pub(crate) fn push(&mut self, key: K, value: V) {
        debug_assert!(
            self.places
                .back()
                .is_none_or(|(last, _)| number(*last) < number(key))
        );
        self.places.push_back((key, Some(value)));
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.places[self.find(*key)?].1.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.find(*key)?;
        self.places[place].1.as_mut()
    }

    pub(crate) fn first_mut(&mut self) -> Option<(K, &mut V)> {
        let (key, value) = self.places.front_mut()?;
        Some((*key, value.as_mut()?))
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.find(*key)?;
        let value = self.places[place].1.take()?;
        self.gaps += 1;
        while let Some((_, None)) = self.places.front() {
            self.places.pop_front();
            self.gaps -= 1;
        }
        while let Some((_, None)) = self.places.back() {
            self.places.pop_back();
            self.gaps -= 1;
        }
        if self.gaps > self.len() {
            self.places.retain(|(_, value)| value.is_some());
            self.gaps = 0;
        }
        // The memory of a crowd isn't kept for ever.
        if self.places.len() < self.places.capacity() / 4 {
            self.places.shrink_to(self.places.len() * 2);
        }
        Some(value)
    }

    pub(crate) fn remove_first(&mut self) -> Option<V> {
        let (key, _) = self.first_mut()?;
        self.remove(&key)
    }

    /// Those before a key.
    pub(crate) fn before(&self, key: K) -> impl Iterator<Item = (&K, &V)> {
        self.places.range(..self.place(key)).filter_map(pair)
    }

    /// Those from a key on.
    pub(crate) fn since(&self, key: K) -> impl Iterator<Item = (&K, &V)> {
        self.places.range(self.place(key)..).filter_map(pair)
    }

    fn find(&self, key: K) -> Option<usize> {
        let place = self.place(key);
        let (found, _) = self.places.get(place)?;
        (number(*found) == number(key)).then_some(place)
    }

    /// The first place whose key isn't less.
    fn place(&self, key: K) -> usize {
        let Some((first, _)) = self.places.front() else {
            return 0;
        };
        let (sought, at) = (number(key), |place: usize| number(self.places[place].0));
        let distance = sought.saturating_sub(number(*first));
        let latest = usize::try_from(distance).unwrap_or(usize::MAX);
        let latest = latest.min(self.places.len());
        if latest < self.places.len() && at(latest) == sought {
            return latest;
        }
        let (mut from, mut to) = (0, latest);
        while from < to {
            let middle = from.midpoint(to);
            if at(middle) < sought {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }
}

/// A key as a number, in the order of keys.
fn number(key: impl Ranked) -> u64 {
    key.rank()[0]
}

impl<K, V> Default for Arrivals<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// A step adds a key, so much greater than the last one, or removes one, if it is there.
        #[test]
        fn map_is_as_the_standard_library_s(steps in vec((1_u64..4, any::<bool>(), 0_u64..100), 0..200)) {
            let (mut ours, mut std, mut last) = (Arrivals::new(), BTreeMap::new(), 0);
            for (more, adds, key) in steps {
                if adds {
                    last += more;
                    ours.push(last, more);
                    std.insert(last, more);
                } else {
                    prop_assert_eq!(ours.remove(&key), std.remove(&key));
                }
                prop_assert_eq!(ours.len(), std.len());
                prop_assert_eq!(ours.is_empty(), std.is_empty());
                prop_assert!(ours.iter().eq(&std));
                prop_assert!(ours.values_mut().eq(std.values_mut()));
                prop_assert_eq!(ours.first(), std.first_key_value());
                prop_assert!(ours.before(key).eq(std.range(..key)));
                prop_assert!(ours.since(key).eq(std.range(key..)));
                for key in 0..last + 2 {
                    prop_assert_eq!(ours.get(&key), std.get(&key));
                    prop_assert_eq!(ours.get_mut(&key), std.get_mut(&key));
                }
            }
            while let Some(value) = ours.remove_first() {
                prop_assert_eq!(std.pop_first().map(|(_, value)| value), Some(value));
            }
            prop_assert!(std.is_empty());
        }
    }

    #[test]
    fn memory_of_those_who_left_is_given_back() {
        let mut arrivals = Arrivals::new();
        for key in 0..1000_u64 {
            arrivals.push(key, ());
        }
        for key in (0..1000).filter(|key| key % 100 != 50) {
            arrivals.remove(&key);
        }
        assert!(
            arrivals
                .iter()
                .map(|(key, ())| *key)
                .eq((0..10).map(|times| times * 100 + 50))
        );
        assert!(arrivals.places.len() <= 20);
        assert!(arrivals.places.capacity() < 100);
    }
}

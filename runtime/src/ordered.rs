//! Maps and sets in the order of their keys, as [`BTreeMap`], whose code is compiled once.
//!
//! The compiler makes all of a `BTreeMap`'s code anew for each pair of types, and there were enough
//! pairs here to be half of what it made for this crate. So the tree has one kind of key, a
//! `Rank`, and says where in a `Vec` the pair is. Who leaves the `Vec` leaves a gap, which the next one takes; so
//! nobody else moves, and no second place in the tree is looked for.
//!
//! `sort` is the order of a `Vec`, which is compiled once in the same way. A `SortedVec` is a map by
//! keys that have no rank, such as texts, and is for few of them.
//!
//! `lockutils-remote` has its maps from here for the same reason; those of its agent would be compiled for each server
//! anew. So this is public, and hidden, since it is for nobody else; what it has stays as
//! it is within one minor version, as a published `lockutils-remote` goes with all of them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::{Bound, Index, RangeBounds};

/// What orders the keys.
type Rank = [u64; 4];

/// Where each key is. None of this is inlined, or else the compiler, which does most of its work on what is, would do
/// it again wherever there is a map.
#[derive(Clone)]
struct Places(BTreeMap<Rank, usize>);

impl Places {
    const fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(never)]
    fn get(&self, rank: &Rank) -> Option<usize> {
        self.0.get(rank).copied()
    }

    #[inline(never)]
    fn first(&self) -> Option<usize> {
        self.0.values().next().copied()
    }

    /// Where the key is; one that is new is at this place.
    #[inline(never)]
    fn enter(&mut self, rank: Rank, new: usize) -> usize {
        *self.0.entry(rank).or_insert(new)
    }

    #[inline(never)]
    fn remove(&mut self, rank: &Rank) -> Option<usize> {
        self.0.remove(rank)
    }

    /// Changes them all, in the order of the keys.
    #[inline(never)]
    fn change(&mut self, change: &mut dyn FnMut(&mut usize)) {
        self.0.values_mut().for_each(change);
    }

    #[inline(never)]
    fn range(&self, from: Bound<Rank>, to: Bound<Rank>) -> PlacesIn<'_> {
        PlacesIn(self.0.range((from, to)))
    }
}

/// The places of a part of the keys, in their order.
#[derive(Clone)]
struct PlacesIn<'a>(btree_map::Range<'a, Rank, usize>);

impl Iterator for PlacesIn<'_> {
    type Item = usize;

    #[inline(never)]
    fn next(&mut self) -> Option<usize> {
        self.0.next().map(|(_, place)| *place)
    }
}

/// A key.
pub trait Ranked: Copy {
    /// In the same order as the keys, and another one for each key.
    fn rank(self) -> Rank;
}

impl Ranked for u64 {
    fn rank(self) -> Rank {
        [self, 0, 0, 0]
    }
}

impl Ranked for u128 {
    #[expect(clippy::cast_possible_truncation, reason = "each half is a number")]
    fn rank(self) -> Rank {
        [(self >> 64) as u64, self as u64, 0, 0]
    }
}

/// Of what fills three numbers of its rank at most.
impl<K: Ranked> Ranked for (u64, K) {
    fn rank(self) -> Rank {
        let [first, second, third, rest] = self.1.rank();
        debug_assert_eq!(rest, 0, "a part of the key would not count");
        [self.0, first, second, third]
    }
}

const TAKEN: &str = "a place in the tree is no gap";

/// A map in the order of its keys.
#[derive(Clone)]
pub struct OrderedMap<K, V> {
    /// Where in `pairs` each is.
    places: Places,
    /// A pair or a gap.
    pairs: Vec<Option<(K, V)>>,
    gaps: Vec<usize>,
}

/// The pairs of a map, in the order of the keys. What is done with it is compiled for this one type,
/// and not for all that it would be made of.
pub struct Iter<'a, K, V> {
    places: PlacesIn<'a>,
    map: &'a OrderedMap<K, V>,
}

/// A map in the order of its keys, of which each new one moves those after it.
#[derive(Clone, Debug)]
pub(crate) struct SortedVec<K, V>(Vec<(K, V)>);

/// A set in the order of its members.
pub type OrderedSet<K> = OrderedMap<K, ()>;

impl<K, V> OrderedMap<K, V> {
    #[must_use]
    pub const fn new() -> Self {
        Self {
            places: Places::new(),
            pairs: Vec::new(),
            gaps: Vec::new(),
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[must_use]
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter {
            places: self.places.range(Bound::Unbounded, Bound::Unbounded),
            map: self,
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// In no order.
    #[cfg(all(feature = "inspect", unix))]
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        let pairs = self.pairs.iter_mut().flatten();
        pairs.map(|(key, value)| (&*key, value))
    }

    /// In no order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.pairs.iter_mut().flatten().map(|(_, value)| value)
    }

    fn pair(&self, place: usize) -> (&K, &V) {
        let (key, value) = self.pairs[place].as_ref().expect(TAKEN);
        (key, value)
    }

    fn pair_mut(&mut self, place: usize) -> (&K, &mut V) {
        let (key, value) = self.pairs[place].as_mut().expect(TAKEN);
        (key, value)
    }

    pub fn clear(&mut self) {
        *self = Self::new();
    }

    #[must_use]
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        Some(self.pair(self.places.first()?))
    }
}

impl<K: Ranked, V> OrderedMap<K, V> {
    /// Gives the value that was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let place = self.enter(key.rank());
        let former = self.pairs[place].replace((key, value));
        former.map(|(_, value)| value)
    }

    /// Where the pair of a key is, or is to be put now: the tree is searched once for both.
    fn enter(&mut self, rank: Rank) -> usize {
        let gap = self.gaps.last().copied().unwrap_or(self.pairs.len());
        let place = self.places.enter(rank, gap);
        if place == gap && self.gaps.pop().is_none() {
            self.pairs.push(None);
        }
        place
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.places.get(&key.rank()).is_some()
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        let place = self.places.get(&key.rank())?;
        Some(self.pair(place).1)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.places.get(&key.rank())?;
        Some(self.pair_mut(place).1)
    }

    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let place = self.enter(key.rank());
        let pair = self.pairs[place].get_or_insert_with(|| (key, V::default()));
        &mut pair.1
    }

    pub fn first_mut(&mut self) -> Option<(K, &mut V)> {
        let place = self.places.first()?;
        let (key, value) = self.pair_mut(place);
        Some((*key, value))
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.places.remove(&key.rank())?;
        let (_, value) = self.pairs[place].take().expect(TAKEN);
        if place + 1 == self.pairs.len() {
            self.pairs.pop();
        } else {
            self.gaps.push(place);
        }
        // The memory of a crowd isn't kept for ever, but that of a few is.
        if self.places.len() < self.pairs.capacity() / 8 {
            self.close_gaps();
        }
        Some(value)
    }

    fn close_gaps(&mut self) {
        let mut pairs = Vec::with_capacity(self.places.len() * 2);
        self.places.change(&mut |place| {
            pairs.push(self.pairs[*place].take());
            *place = pairs.len() - 1;
        });
        (self.pairs, self.gaps) = (pairs, Vec::new());
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &V) -> bool) {
        let leaves = self.iter().filter(|(key, value)| !keeps(key, value));
        for key in leaves.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.remove(&key);
        }
    }

    pub fn remove_first(&mut self) -> Option<V> {
        let (key, _) = self.first_mut()?;
        self.remove(&key)
    }

    pub fn range(&self, range: impl RangeBounds<K>) -> Iter<'_, K, V> {
        let bound = |bound: Bound<&K>| bound.map(|key| key.rank());
        let (from, to) = (bound(range.start_bound()), bound(range.end_bound()));
        Iter {
            places: self.places.range(from, to),
            map: self,
        }
    }
}

impl<K: Ranked> OrderedSet<K> {
    /// Whether it is new.
    pub fn add(&mut self, member: K) -> bool {
        self.insert(member, ()).is_none()
    }

    #[must_use]
    pub fn first(&self) -> Option<K> {
        self.first_key_value().map(|(member, ())| *member)
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.map.pair(self.places.next()?))
    }
}

impl<'a, K, V> IntoIterator for &'a OrderedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self {
            places: self.places.clone(),
            map: self.map,
        }
    }
}

impl<K, V> Default for OrderedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Default for SortedVec<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ranked, V> Index<&K> for OrderedMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("the key is there")
    }
}

impl<K: Ranked> Extend<K> for OrderedSet<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, members: I) {
        for member in members {
            self.insert(member, ());
        }
    }
}

impl<K: Ranked> FromIterator<K> for OrderedSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(members: I) -> Self {
        let mut set = Self::new();
        set.extend(members);
        set
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for OrderedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord, V> SortedVec<K, V> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.0.iter()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn first(&self) -> Option<&(K, V)> {
        self.0.first()
    }

    pub(crate) fn last(&self) -> Option<&(K, V)> {
        self.0.last()
    }

    /// That of the key, or the next one.
    pub(crate) fn next_from(&self, key: &K) -> Option<&(K, V)> {
        let (Ok(place) | Err(place)) = self.find(key);
        self.0.get(place)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.find(key).ok()?;
        Some(self.0.remove(place).1)
    }

    pub(crate) fn into_vec(self) -> Vec<(K, V)> {
        self.0
    }

    fn find(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.find(key).ok()?;
        Some(&mut self.0[place].1)
    }

    pub(crate) fn get_or_insert(&mut self, key: K, value: V) -> &mut V {
        let place = self.find(&key).unwrap_or_else(|place| {
            self.0.insert(place, (key, value));
            place
        });
        &mut self.0[place].1
    }

    pub(crate) fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.get_or_insert(key, V::default())
    }
}

/// Sorts by what orders two of them, and leaves those as they are that are equal.
pub(crate) fn sort<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let swaps = swaps(items.len(), &|one, other| {
        compare(&items[one], &items[other])
    });
    for (place, other) in swaps.into_iter().enumerate() {
        items.swap(place, other);
    }
}

/// With which item each of so many is to change places, one after the other, to be in order.
fn swaps(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<_> = (0..length).collect();
    order.sort_by(|one, other| compare(*one, *other));
    for place in 0..length {
        let mut from = order[place];
        // It has changed places itself, and maybe again there. Each change is followed once.
        while from < place {
            from = order[from];
        }
        order[place] = from;
    }
    order
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn map_is_as_the_standard_library_s(steps in vec((0_u64..20, any::<Option<u8>>()), 0..200)) {
            let (mut ours, mut std) = (OrderedMap::new(), BTreeMap::new());
            for (key, value) in steps {
                if let Some(value) = value {
                    prop_assert_eq!(ours.insert(key, value), std.insert(key, value));
                } else {
                    prop_assert_eq!(ours.remove(&key), std.remove(&key));
                }
                prop_assert_eq!(ours.len(), std.len());
                prop_assert!(ours.iter().eq(&std));
                prop_assert_eq!(ours.first_key_value(), std.first_key_value());
                prop_assert!(ours.range(key..).eq(std.range(key..)));
                prop_assert!(ours.range(key..=15.max(key)).eq(std.range(key..=15.max(key))));
                prop_assert!(ours.range(..key).eq(std.range(..key)));
                for key in 0..20 {
                    prop_assert_eq!(ours.get(&key), std.get(&key));
                    prop_assert_eq!(ours.contains_key(&key), std.contains_key(&key));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn ranks_are_in_the_order_of_the_keys(keys in vec((0_u64..3, 0_u128..3, 0_u128..3), 0..20)) {
            let keys = keys.into_iter().map(|(first, high, low)| (first, high << 64 | low));
            let (mut ours, mut std) = (OrderedMap::<_, usize>::new(), BTreeMap::new());
            for (number, key) in keys.enumerate() {
                *ours.get_or_default(key) ^= number;
                *std.entry(key).or_default() ^= number;
            }
            prop_assert!(ours.iter().eq(&std));
        }
    }

    proptest! {
        #[test]
        fn items_are_sorted_as_by_the_standard_library(numbers in vec(0_u8..10, 0..40)) {
            // What isn't looked at shows that equals stay in their order.
            let mut ours: Vec<_> = numbers.into_iter().zip(0..).collect();
            let mut std = ours.clone();
            sort(&mut ours, |(one, _), (other, _)| other.cmp(one));
            std.sort_by(|(one, _), (other, _)| other.cmp(one));
            prop_assert_eq!(ours, std);
        }
    }

    proptest! {
        #[test]
        fn values_are_found_by_their_keys(pairs in vec((0_u8..20, any::<u8>()), 0..40)) {
            let (mut ours, mut std) = (SortedVec::new(), BTreeMap::new());
            for (key, value) in pairs {
                prop_assert_eq!(ours.get_mut(&key), std.get_mut(&key));
                let next = ours.next_from(&key).map(|(key, value)| (key, value));
                prop_assert_eq!(next, std.range(key..).next());
                if value < 64 {
                    prop_assert_eq!(ours.remove(&key), std.remove(&key));
                    continue;
                }
                *ours.get_or_insert(key, 7) ^= value;
                *std.entry(key).or_insert(7) ^= value;
            }
            prop_assert_eq!(ours.len(), std.len());
            prop_assert_eq!(ours.first().map(|(key, _)| key), std.keys().next());
            prop_assert_eq!(ours.last().map(|(key, _)| key), std.keys().next_back());
            prop_assert!(ours.into_vec().into_iter().eq(std));
        }
    }

    #[test]
    fn memory_of_those_who_left_is_given_back() {
        let mut set: OrderedSet<u64> = (0..1000).collect();
        set.retain(|member, ()| member % 100 == 0);
        assert!(set.keys().copied().eq((0..10).map(|times| times * 100)));
        assert!(set.pairs.capacity() < 100);
        // Without a gap.
        let mut set: OrderedSet<u64> = (0..1000).collect();
        for member in (10..1000).rev() {
            set.remove(&member);
        }
        assert!(set.keys().copied().eq(0..10));
        assert!(set.pairs.capacity() < 100);
    }
}

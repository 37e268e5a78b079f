//! The costliest keys, in little memory, however many keys there are: *Space-Saving*.
//!
//! A key that there is no room for takes the place of the cheapest, and its cost as well, as the
//! most that it may have had before. So what a key is said to have cost is too much by no more
//! than that, and a key that had more than one part in [`MOST`] of all is there for certain.

use super::place::{Cost, Pair};
use crate::key::Key;
use crate::ordered::{OrderedMap, Ranked};
use crate::table::hash::hash;

/// How many keys there are.
const MOST: usize = 256;

/// How long a key may be to be among them: it stands in the table itself.
const LENGTH: usize = 64;

#[derive(Clone)]
pub(crate) struct Keys(OrderedMap<Id, Counted>);

/// A key by its hash. Two keys of one hash would be counted as one of them.
#[derive(Clone, Copy)]
struct Id {
    pair: Pair,
    hash: u64,
}

impl Ranked for Id {
    fn rank(self) -> [u64; 4] {
        let [space, holder, waiter, _] = self.pair.rank();
        [space, holder, waiter, self.hash]
    }
}

#[derive(Clone)]
struct Counted {
    key: Key,
    cost: Cost,
    /// How much of it may have been another's.
    doubtful: u64,
}

/// What a key has cost at least.
pub(crate) struct CostOfKey<'a> {
    pub(crate) pair: Pair,
    pub(crate) key: &'a Key,
    pub(crate) cost: Cost,
}

impl Keys {
    pub(super) const fn new() -> Self {
        Self(OrderedMap::new())
    }

    /// Whether they have room for so long a key.
    pub(super) fn have_room_for(key: &Key) -> bool {
        key.as_bytes().len() <= LENGTH
    }

    /// Of a key for which they [have room](Self::have_room_for).
    pub(super) fn add(&mut self, pair: Pair, key: &Key, cost: Cost) {
        let hash = hash(pair.space, key.as_bytes());
        let id = Id { pair, hash };
        if let Some(known) = self.0.get_mut(&id) {
            known.cost.add(cost);
            return;
        }
        let mut doubtful = 0;
        if self.0.len() == MOST {
            let cheapest = self.0.iter().min_by_key(|(_, one)| one.cost.nanoseconds);
            if let Some(id) = cheapest.map(|(id, _)| *id) {
                let cheapest = self.0.remove(&id);
                doubtful = cheapest.map_or(0, |one| one.cost.nanoseconds);
            }
        }
        let (key, mut cost) = (key.clone(), cost);
        cost.nanoseconds = cost.nanoseconds.saturating_add(doubtful);
        self.0.insert(
            id,
            Counted {
                key,
                cost,
                doubtful,
            },
        );
    }

    /// What each has cost since an earlier copy, for certain.
    #[cfg(all(feature = "inspect", unix))]
    pub(super) fn since(mut self, before: &Self) -> Self {
        for (id, counted) in self.0.iter_mut() {
            let certain = |one: &Counted| Cost {
                nanoseconds: one.cost.nanoseconds - one.doubtful,
                ..one.cost
            };
            let before = before.0.get(id).map(certain).unwrap_or_default();
            counted.cost = certain(counted).without(before);
            counted.doubtful = 0;
        }
        self.0.retain(|_, one| one.cost != Cost::default());
        self
    }

    /// What each key has cost for certain.
    pub(crate) fn iter(&self) -> impl Iterator<Item = CostOfKey<'_>> {
        self.0.iter().map(|(id, counted)| {
            let mut cost = counted.cost;
            cost.nanoseconds -= counted.doubtful;
            CostOfKey {
                pair: id.pair,
                key: &counted.key,
                cost,
            }
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::site::Site;
    use crate::table::hash::draw_seeds;

    #[test]
    fn costliest_key_stays_among_many() {
        draw_seeds();
        let site = Site::here();
        let pair = Pair {
            space: 0,
            holder: site.into(),
            waiter: site,
        };
        let cost = |nanoseconds| Cost {
            nanoseconds,
            waits: 1,
        };
        let mut keys = Keys::new();
        for number in 0..100_000 {
            keys.add(pair, &Key::new(number), cost(1));
            if number % 10 == 0 {
                keys.add(pair, &Key::new("costly"), cost(1));
            }
        }
        assert_eq!(keys.0.len(), MOST);
        let costly = keys.iter().find(|one| *one.key == Key::new("costly"));
        let costly = costly.expect("it is there").cost;
        // All of it, unless it was counted for a while before it had a place.
        assert!((9_000..=10_000).contains(&costly.nanoseconds), "{costly:?}");
        let sum: u64 = keys.iter().map(|one| one.cost.nanoseconds).sum();
        assert!(sum <= 110_000, "{sum}");
    }
}

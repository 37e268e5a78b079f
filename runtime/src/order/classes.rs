//! Which classes of locks are taken after which: a graph, with what is known of each edge.
//!
//! An edge that closes a cycle is found when it is added, so each cycle is found once. There are no more
//! than [`MOST`] edges: the program's text has bounds, and spaces that are made and dropped have none. Of those
//! that have no room there is a bit each, by a hash, so that each is counted once, and nearly all are.

use crate::ordered::{OrderedMap, OrderedSet, Ranked};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// How many edges there are at most.
pub(super) const MOST: usize = 1024;

/// That a lock of one class is asked for by who has one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Nesting {
    pub(super) held: u64,
    pub(super) asked: u64,
}

impl Ranked for Nesting {
    fn rank(self) -> [u64; 4] {
        [self.held, self.asked, 0, 0]
    }
}

impl Nesting {
    /// Which bit it has where it is left out, and in which word.
    fn bit(self) -> (usize, u64) {
        let mut hasher = DefaultHasher::new();
        (self.held, self.asked).hash(&mut hasher);
        let hash = hasher.finish();
        let word = hash / 64 % WORDS as u64;
        (usize::try_from(word).unwrap_or(0), 1 << (hash % 64))
    }
}

/// What has become of an edge.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It closes no cycle, or was known.
    InOrder,
    /// It closes this one, of which it is the last edge.
    Cycle(Vec<Nesting>),
    /// There is no room for it, which is said once of each.
    Full,
}

/// A graph of classes.
pub(super) struct Classes<E> {
    edges: OrderedMap<Nesting, E>,
    /// Which hashes those edges have that there is no room for.
    left_out: Option<Box<[u64; WORDS]>>,
}

/// How many bits there are for edges that have no room, in words.
const WORDS: usize = 1024;

impl<E> Classes<E> {
    pub(super) const fn new() -> Self {
        Self {
            edges: OrderedMap::new(),
            left_out: None,
        }
    }

    pub(super) fn edge(&self, nesting: Nesting) -> Option<&E> {
        self.edges.get(&nesting)
    }

    /// Whether there is nothing to be learnt by an edge: it is there, or has been left out.
    pub(super) fn knows(&self, nesting: Nesting) -> bool {
        let left_out = self.left_out.as_ref();
        let (word, bit) = nesting.bit();
        self.edge(nesting).is_some() || left_out.is_some_and(|words| words[word] & bit != 0)
    }

    /// Adds an edge, unless it is known.
    pub(super) fn add(&mut self, nesting: Nesting, edge: E) -> Added {
        if self.knows(nesting) {
            return Added::InOrder;
        }
        if self.edges.len() >= MOST {
            let left_out = self.left_out.get_or_insert_with(|| Box::new([0; WORDS]));
            let (word, bit) = nesting.bit();
            left_out[word] |= bit;
            return Added::Full;
        }
        let back = self.way(nesting.asked, nesting.held);
        self.edges.insert(nesting, edge);
        match back {
            Some(mut cycle) => {
                cycle.push(nesting);
                Added::Cycle(cycle)
            }
            None => Added::InOrder,
        }
    }

    /// A shortest way from one class to another; none at all if they are one.
    fn way(&self, from: u64, to: u64) -> Option<Vec<Nesting>> {
        let mut ways: OrderedMap<u64, Nesting> = OrderedMap::new();
        let mut seen = OrderedSet::from_iter([from]);
        let mut next = VecDeque::from([from]);
        while let Some(class) = next.pop_front() {
            if class == to {
                return Some(back(&ways, from, to));
            }
            for nesting in self.after(class) {
                if seen.add(nesting.asked) {
                    ways.insert(nesting.asked, nesting);
                    next.push_back(nesting.asked);
                }
            }
        }
        None
    }

    /// The edges from a class.
    fn after(&self, held: u64) -> impl Iterator<Item = Nesting> {
        let (first, last) = (0, u64::MAX);
        let of = |asked| Nesting { held, asked };
        let edges = self.edges.range(of(first)..=of(last));
        edges.map(|(nesting, _)| *nesting)
    }
}

/// The way by which a class was come to.
fn back(ways: &OrderedMap<u64, Nesting>, from: u64, to: u64) -> Vec<Nesting> {
    let (mut way, mut class) = (Vec::new(), to);
    while class != from {
        let nesting = ways[&class];
        way.push(nesting);
        class = nesting.held;
    }
    way.reverse();
    way
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// All classes that can be come to from one, and the fewest steps to each, found by trying all
    /// edges again and again.
    fn naive(edges: &BTreeSet<(u64, u64)>, from: u64, to: u64) -> Option<usize> {
        let mut reached = BTreeSet::from([from]);
        for steps in 0..=edges.len() {
            if reached.contains(&to) {
                return Some(steps);
            }
            let more: Vec<_> = edges
                .iter()
                .filter(|(held, _)| reached.contains(held))
                .map(|(_, asked)| *asked)
                .collect();
            reached.extend(more);
        }
        None
    }

    proptest! {
        #[test]
        fn cycle_is_found_by_the_edge_that_closes_it(steps in vec((0_u64..7, 0_u64..7), 0..60)) {
            let (mut classes, mut edges) = (Classes::new(), BTreeSet::new());
            for (held, asked) in steps {
                let nesting = Nesting { held, asked };
                let shortest = naive(&edges, asked, held);
                let is_new = edges.insert((held, asked));
                match classes.add(nesting, ()) {
                    Added::InOrder => prop_assert!(!is_new || shortest.is_none()),
                    Added::Cycle(cycle) => {
                        prop_assert!(is_new);
                        prop_assert_eq!(Some(cycle.len() - 1), shortest);
                        prop_assert_eq!(cycle.last(), Some(&nesting));
                        for (step, next) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
                            prop_assert!(edges.contains(&(step.held, step.asked)));
                            prop_assert_eq!(step.asked, next.held);
                        }
                    }
                    Added::Full => prop_assert!(false, "there is room"),
                }
            }
        }
    }

    #[test]
    fn edges_without_room_are_told() {
        let mut classes = Classes::new();
        let nesting = |held| Nesting {
            held,
            asked: held + 1,
        };
        for held in 0..MOST as u64 {
            assert_eq!(classes.add(nesting(held), ()), Added::InOrder);
        }
        assert_eq!(classes.add(nesting(MOST as u64), ()), Added::Full);
        assert_eq!(classes.add(nesting(0), ()), Added::InOrder);
        // Each once, but for a few whose hash another one has.
        let more = |classes: &mut Classes<()>| {
            let more = (10_000..11_000).map(nesting);
            more.filter(|one| classes.add(*one, ()) == Added::Full)
                .count()
        };
        assert!((900..=1000).contains(&more(&mut classes)));
        assert_eq!(more(&mut classes), 0);
        assert!(classes.knows(nesting(MOST as u64)));
    }
}

//! What makes a lock space one and the same: a number, drawn at its first use.
//!
//! | bits of the number | what they say |
//! |---|---|
//! | 63 | whether the space has several permits |
//! | 62 | whether it is fair |
//! | 60 and 61 | of which [class](Class) its locks are |
//! | 24 to 59 | which space, in the order of first use, from 1 |
//! | 0 to 23 | which name it has |
//!
//! So a lock can be named by the number alone, also when its space has been dropped, and
//! the fast path needs no more of a space. Names are remembered for ever, each text once;
//! spaces are not remembered at all.

use super::hash::draw_seeds;
use super::policy::{Class, Policy};
use crate::sync::Ordering;
use crate::sync::ambient::{AtomicU64, Mutex};

/// How many bits of a number are the index of its name. The 36 bits above them are
/// enough for a million new spaces a second during 19 hours.
const NAME_BITS: u32 = 24;

const COUNTED: u64 = 1 << 63;
const FAIR: u64 = 1 << 62;
/// Where a number has the class.
const CLASS: u32 = 60;

/// What the number has as the index of a name that there is no room for.
const UNNAMED_INDEX: u32 = (1 << NAME_BITS) - 1;

/// The name of spaces that came after 2^24 different names.
const UNNAMED: &str = "unnamed";

/// The number of a space; zero until it is drawn, since a `const fn` can't draw.
pub(crate) struct Identity(AtomicU64);

static SPACES: Mutex<Spaces> = Mutex::new(Spaces {
    drawn: 0,
    names: Vec::new(),
    in_order: Vec::new(),
});

struct Spaces {
    drawn: u64,
    names: Vec<&'static str>,
    /// The indices of the names, in the order of the names.
    in_order: Vec<u32>,
}

/// The name of the space that has this number.
pub(crate) fn name_of(number: u64) -> &'static str {
    let index = usize::try_from(name_part(number)).expect("24 bits");
    SPACES.lock().names.get(index).copied().unwrap_or(UNNAMED)
}

/// The number of a name, which is that of all spaces that are called so.
pub(crate) fn number_of(name: &'static str) -> u64 {
    SPACES.lock().index_of(name)
}

/// The part of a space's number that is its name's, of which [`name_of`] gives the name too. So
/// spaces that are called the same are one.
pub(crate) const fn name_part(number: u64) -> u64 {
    number & ((1 << NAME_BITS) - 1)
}

/// Whether the space that has this number is fair.
pub(crate) const fn is_fair(number: u64) -> bool {
    number & FAIR != 0
}

/// Whether the locks of the space that has this number have several permits.
pub(crate) const fn is_counted(number: u64) -> bool {
    number & COUNTED != 0
}

/// Of which class the locks of the space are that has this number.
pub(crate) const fn class_of(number: u64) -> Class {
    match number >> CLASS & 0b11 {
        0 => Class::Space,
        1 => Class::Name,
        2 => Class::Key,
        _ => Class::None,
    }
}

impl Identity {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The number, once it is drawn.
    #[inline]
    pub(crate) fn known(&self) -> Option<u64> {
        // Acquire pairs with the release in `draw`: the hash has its seeds.
        Some(self.0.load(Ordering::Acquire)).filter(|number| *number != 0)
    }

    /// The number, once it is drawn, of a space whose locks have one permit.
    #[inline]
    pub(crate) fn known_of_one_permit(&self) -> Option<u64> {
        // Acquire, as in `known`.
        let number = self.0.load(Ordering::Acquire);
        // Both conditions in one, since `COUNTED` is the sign.
        let is_drawn = i64::from_ne_bytes(number.to_ne_bytes()) > 0;
        is_drawn.then_some(number)
    }

    /// The number, which has in it what the space is. Before it is drawn it calls `first`.
    #[inline]
    pub(crate) fn number(
        &self,
        name: &'static str,
        what: impl FnOnce() -> (Policy, Class),
        first: fn(),
    ) -> u64 {
        self.known()
            .unwrap_or_else(|| self.draw(name, what(), first))
    }

    #[cold]
    fn draw(&self, name: &'static str, (policy, class): (Policy, Class), first: fn()) -> u64 {
        first();
        let mut spaces = SPACES.lock();
        if let Some(drawn_meanwhile) = self.known() {
            return drawn_meanwhile;
        }
        draw_seeds();
        spaces.drawn += 1;
        let fair = if policy.fair { FAIR } else { 0 };
        let counted = if policy.permits > 1 { COUNTED } else { 0 };
        let class = (class as u64) << CLASS;
        let number = fair | counted | class | spaces.drawn << NAME_BITS | spaces.index_of(name);
        // Release pairs with the acquire in `known`. The seeds may be another thread's, who
        // drew them before it unlocked the mutex.
        self.0.store(number, Ordering::Release);
        number
    }
}

impl Spaces {
    fn index_of(&mut self, name: &'static str) -> u64 {
        let Self {
            names, in_order, ..
        } = self;
        let index = match in_order.binary_search_by(|index| names[*index as usize].cmp(name)) {
            Ok(place) => in_order[place],
            Err(place) => {
                let index = u32::try_from(names.len()).expect("24 bits");
                if index < UNNAMED_INDEX {
                    names.push(name);
                    in_order.insert(place, index);
                }
                index
            }
        };
        index.into()
    }
}

//! What makes a lock space one and the same: a number, drawn at its first use.
//!
//! The number's low bits say which name the space has, so that a lock can be named
//! by the number alone, also when its space has been dropped. Names are remembered
//! for ever, each text once; spaces are not remembered at all.

use crate::sync::Ordering;
use crate::sync::ambient::{AtomicU64, Mutex};
use std::collections::BTreeMap;

/// How many bits of a number are the index of its name. The 40 bits above them are
/// enough for a million new spaces a second during twelve days.
const NAME_BITS: u32 = 24;

/// The name of spaces that came after 2^24 different names.
const UNNAMED: &str = "unnamed";

/// The number of a space; zero until it is drawn, since a `const fn` can't draw.
pub(super) struct Identity(AtomicU64);

static SPACES: Mutex<Spaces> = Mutex::new(Spaces {
    drawn: 0,
    names: Vec::new(),
    indices: BTreeMap::new(),
});

struct Spaces {
    drawn: u64,
    names: Vec<&'static str>,
    indices: BTreeMap<&'static str, u64>,
}

/// The name of the space that has this number.
pub(super) fn name_of(number: u64) -> &'static str {
    let index = number & ((1 << NAME_BITS) - 1);
    let index = usize::try_from(index).expect("24 bits");
    SPACES.lock().names.get(index).copied().unwrap_or(UNNAMED)
}

impl Identity {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The number, which has `name` in it.
    #[inline]
    pub(super) fn number(&self, name: &'static str) -> u64 {
        // Relaxed: the number is all there is to see, no other memory hangs on it.
        match self.0.load(Ordering::Relaxed) {
            0 => self.draw(name),
            number => number,
        }
    }

    #[cold]
    fn draw(&self, name: &'static str) -> u64 {
        let mut spaces = SPACES.lock();
        let drawn_meanwhile = self.0.load(Ordering::Relaxed);
        if drawn_meanwhile != 0 {
            return drawn_meanwhile;
        }
        spaces.drawn += 1;
        let number = spaces.drawn << NAME_BITS | spaces.index_of(name);
        self.0.store(number, Ordering::Relaxed);
        number
    }
}

impl Spaces {
    fn index_of(&mut self, name: &'static str) -> u64 {
        let Self { names, indices, .. } = self;
        let last = (1 << NAME_BITS) - 1;
        *indices.entry(name).or_insert_with(|| {
            let index = last.min(names.len() as u64);
            if index < last {
                names.push(name);
            }
            index
        })
    }
}

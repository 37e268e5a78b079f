//! What makes a lock space one and the same: a number, drawn at its first use.

use crate::sync::{AtomicU64, Mutex, Ordering};
use std::collections::BTreeMap;

/// The number of a space; zero until it is drawn, since a `const fn` can't draw.
pub(super) struct Identity(AtomicU64);

static SPACES: Mutex<Spaces> = Mutex::new(Spaces {
    last: 0,
    names: BTreeMap::new(),
});

struct Spaces {
    last: u64,
    /// Of the spaces that were used and not dropped. No other lock is taken while
    /// this one is held.
    names: BTreeMap<u64, &'static str>,
}

/// The name of a space, unless it was dropped.
pub(super) fn name_of(space: u64) -> Option<&'static str> {
    SPACES.lock().names.get(&space).copied()
}

impl Identity {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The number, for which `name` is registered when it is drawn.
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
        spaces.last += 1;
        let number = spaces.last;
        spaces.names.insert(number, name);
        self.0.store(number, Ordering::Relaxed);
        number
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        let number = self.0.load(Ordering::Relaxed);
        if number != 0 {
            SPACES.lock().names.remove(&number);
        }
    }
}

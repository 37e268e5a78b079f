//! A list of keys, of which two need no allocation.

use crate::key::{Key, LockKey};
use crate::table::MOST;
use std::fmt;
use std::ops::Deref;

/// How many need no allocation.
const FEW: usize = 2;

/// The keys of one call, which most often are two.
#[derive(Clone)]
pub struct Keys {
    few: [Key; FEW],
    /// In place of `few`, if it isn't empty.
    many: Vec<Key>,
    /// In how many of the places there is a key. In those behind them there is the empty one.
    len: usize,
}

impl Keys {
    /// None yet.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            few: [Key::empty(), Key::empty()],
            many: Vec::new(),
            len: 0,
        }
    }

    /// Makes room for so many, where there are none yet.
    #[inline]
    pub(crate) fn reserve(&mut self, count: usize) {
        debug_assert!(self.is_empty(), "room is made before the first key");
        if count > FEW {
            self.many = empty_places(count);
        }
    }

    /// Adds the key of a value, which is written where it is to stay: to move it costs as much.
    #[inline]
    pub fn add(&mut self, value: &(impl LockKey + ?Sized)) {
        let next = self.len;
        let place = if next < self.places().len() {
            &mut self.places()[next]
        } else {
            self.grow()
        };
        place.write(value);
        self.len = next + 1;
    }

    /// The keys, for who takes them away.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Key> {
        if self.many.is_empty() {
            self.few.into_iter().take(self.len).collect()
        } else {
            self.many.truncate(self.len);
            self.many
        }
    }

    /// All that there is room for.
    #[inline]
    fn places(&mut self) -> &mut [Key] {
        if self.many.is_empty() {
            &mut self.few
        } else {
            &mut self.many
        }
    }

    /// Makes room, at once for as many as the fast path takes together. Gives the next place.
    #[inline(never)]
    fn grow(&mut self) -> &mut Key {
        let mut more = empty_places(MOST.max(2 * self.len));
        more[..self.len].swap_with_slice(self.places());
        self.many = more;
        &mut self.many[self.len]
    }
}

#[inline(never)]
fn empty_places(count: usize) -> Vec<Key> {
    let mut places = Vec::with_capacity(count);
    places.resize_with(count, Key::empty);
    places
}

impl Deref for Keys {
    type Target = [Key];

    #[inline]
    fn deref(&self) -> &[Key] {
        if self.many.is_empty() {
            &self.few[..self.len]
        } else {
            &self.many[..self.len]
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;
    use crate::key::Key;

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "before the first key")]
    fn room_is_made_before_the_first_key() {
        let mut keys = Keys::new();
        keys.add(&1);
        keys.reserve(3);
    }

    #[test]
    fn list_is_what_was_added_however_many_those_are() {
        for len in 0..10_u32 {
            let expected: Vec<_> = (0..len).map(Key::new).collect();
            let mut added = Keys::new();
            for key in &expected {
                added.add(key);
            }
            assert_eq!(*added, *expected);
            assert_eq!(added.into_vec(), expected);
            // There may be fewer than there is room for.
            for room in [expected.len(), 20] {
                let mut added = Keys::new();
                added.reserve(room);
                for key in &expected {
                    added.add(key);
                }
                assert_eq!(*added, *expected);
            }
        }
    }
}

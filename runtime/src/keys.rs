//! A list of keys, of which two need no allocation.

use crate::key::{Key, LockKey};
use crate::table::MOST;
use std::fmt;
use std::ops::Deref;

/// The keys of one call, which most often are two. They are in `few` or in `many`; the other one
/// is empty.
#[derive(Clone)]
pub struct Keys {
    few: [Key; 2],
    /// How many of `few` are keys of the call.
    len: usize,
    many: Vec<Key>,
}

impl Keys {
    /// None yet.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            few: [Key::empty(), Key::empty()],
            len: 0,
            many: Vec::new(),
        }
    }

    /// None yet, and room for so many.
    #[inline]
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut keys = Self::new();
        if capacity > keys.few.len() {
            keys.many.reserve(capacity);
        }
        keys
    }

    /// Adds the key of a value, which is written where it is to stay: to move it costs as much.
    #[inline]
    pub fn add(&mut self, value: &(impl LockKey + ?Sized)) {
        match self.few.get_mut(self.len) {
            Some(place) if self.many.capacity() == 0 => {
                *place = Key::empty();
                place.write(value);
                self.len += 1;
            }
            _ => self.room_in_many().write(value),
        }
    }

    /// The keys, for who takes them away.
    #[must_use]
    pub fn into_vec(self) -> Vec<Key> {
        if self.len > 0 {
            self.few.into_iter().take(self.len).collect()
        } else {
            self.many
        }
    }

    /// One more key, which is empty yet.
    #[inline(never)]
    fn room_in_many(&mut self) -> &mut Key {
        if self.len > 0 {
            // For as many as the fast path takes together, so that those don't move once more.
            self.many.reserve(MOST);
            self.many.extend(self.few.iter().take(self.len).cloned());
            self.len = 0;
        }
        self.many.push(Key::empty());
        self.many.last_mut().expect("it was pushed")
    }
}

impl Deref for Keys {
    type Target = [Key];

    #[inline]
    fn deref(&self) -> &[Key] {
        if self.len > 0 {
            &self.few[..self.len]
        } else {
            &self.many
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
                let mut added = Keys::with_capacity(room);
                for key in &expected {
                    added.add(key);
                }
                assert_eq!(*added, *expected);
            }
        }
    }
}

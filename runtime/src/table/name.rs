//! The name of a lock, as it is looked up.

use super::entry::Entry;
use super::identity::is_counted;
use super::policy::Policy;
use super::record::TEXT;
use super::word::hash;
use crate::key::Key;

/// How long a text the fast path takes without an allocation.
pub(crate) const SHORT: usize = TEXT;

/// A lock's name, with its hash.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(crate) hash: u64,
    pub(crate) space: SpaceId,
    /// UTF-8, and not checked to be: it comes from a `str`, or is a [`Key`]'s.
    pub(crate) text: &'a [u8],
}

/// A lock space, as its locks know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpaceId {
    pub(crate) number: u64,
    pub(crate) policy: Policy,
}

impl<'a> Name<'a> {
    #[expect(clippy::inline_always, reason = "as `hash`")]
    #[inline(always)]
    pub(crate) fn new(space: SpaceId, text: &'a [u8]) -> Self {
        Self {
            hash: hash(space.number, text),
            space,
            text,
        }
    }

    /// Whether a bucket has a place for the text.
    #[inline]
    pub(crate) const fn is_short(&self) -> bool {
        self.text.len() <= SHORT
    }

    /// Whether there is only one permit.
    #[inline]
    pub(crate) const fn has_one_permit(&self) -> bool {
        !is_counted(self.space.number)
    }

    /// A copy of the key.
    #[cold]
    pub(crate) fn key(&self) -> Key {
        Key::from_utf8(self.text)
    }

    pub(super) fn is_of(&self, entry: &Entry) -> bool {
        entry.space == self.space.number && entry.text == *self.text
    }
}

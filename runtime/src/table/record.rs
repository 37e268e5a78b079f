//! What who takes a lock by its bucket alone writes down of it.

use super::moment::Since;
use super::policy::Mode;
use super::word::ALONE;
use crate::key::Key;
use crate::key::text::copy_short;
use crate::key::uuid::UuidText;
use crate::site::Site;

/// How long a text there is room for.
pub(crate) const TEXT: usize = 64;

/// How long a text can be at all: its length is to fit into half a word.
pub(super) const LONGEST: usize = u32::MAX as usize;

/// What a thin holder writes down. Plain memory, see [`Bucket`](super::bucket::Bucket).
pub(super) struct ThinRecord {
    pub(super) space: u64,
    /// `None` until there is a first hold.
    pub(super) site: Option<Site>,
    /// A [`Kind`], and below it the length of the text, or [`ThinRecord::LONG`].
    kind_and_length: u64,
    /// See [`Kind::TIMED`].
    since: Since,
    text: Text,
}

/// The text of a thin hold.
#[derive(Clone, Copy)]
union Text {
    short: [u8; TEXT],
    /// A box that has been taken out of its owner's care, by [`long`].
    long: *mut [u8],
}

/// How a thin holder holds, and of how many permits one: in a word in which nothing is said of
/// who holds exclusively what has one permit, so that this takes no instruction more.
///
/// | bits | what they say |
/// |---|---|
/// | 0 to 7 | nothing: the length of the text is there |
/// | 8 | whether it holds shared |
/// | 9 | whether it is known since when who was first has had it |
/// | that of [`ALONE`] | whether others may join: it holds shared, or there are several permits |
/// | 32 to 63 | how many permits there are beside the holder's |
#[derive(Clone, Copy)]
pub(crate) struct Kind(u64);

impl Kind {
    /// Alone.
    pub(crate) const EXCLUSIVE: Self = Self(0);
    const SHARED: u64 = 1 << 8;
    /// Of a lock that was an entry. What is written down with the text has it not.
    const TIMED: u64 = 1 << 9;
    const PERMITS: u32 = 32;

    pub(crate) const fn new(mode: Mode, permits: u32) -> Self {
        let shared = match mode {
            Mode::Exclusive => 0,
            Mode::Shared => Self::SHARED,
        };
        let how = shared | (permits as u64 - 1) << Self::PERMITS;
        Self(if how == 0 { how } else { how | ALONE })
    }

    /// Whether others may hold the lock as well.
    pub(super) const fn is_joint(self) -> bool {
        self.0 & ALONE != 0
    }

    /// The word of a hold of this hash, while it is alone.
    pub(super) const fn word(self, hash: u64) -> u64 {
        hash ^ self.0 & ALONE
    }

    pub(super) const fn mode(self) -> Mode {
        if self.0 & Self::SHARED == 0 {
            Mode::Exclusive
        } else {
            Mode::Shared
        }
    }

    pub(super) const fn permits(self) -> u32 {
        (self.0 >> Self::PERMITS) as u32 + 1
    }

    /// Whether there is room beside so many holders of this kind.
    pub(super) const fn has_room(self, holders: u32) -> bool {
        let permits = self.permits();
        permits == 1 || holders < permits
    }
}

impl ThinRecord {
    pub(super) const EMPTY: Self = Self {
        space: 0,
        site: None,
        kind_and_length: 0,
        since: Since::UNKNOWN,
        text: Text { short: [0; TEXT] },
    };
    /// In place of a length: the text is on the heap.
    const LONG: u8 = u8::MAX;

    /// Writes down a text of at most [`TEXT`] bytes.
    #[inline]
    pub(super) fn write_short(&mut self, kind: Kind, text: &[u8]) {
        self.kind_and_length = kind.0 | text.len() as u64;
        // SAFETY: bytes are there, of whatever text, and any will do.
        #[expect(unsafe_code, reason = "a union")]
        let short = unsafe { &mut self.text.short };
        copy_short(text, &mut short[..text.len()]);
    }

    /// Writes down the text of a UUID, which is held exclusively.
    #[inline]
    pub(super) fn write_uuid(&mut self, UuidText(words): UuidText) {
        self.kind_and_length = Kind::EXCLUSIVE.0 | u64::from(UuidText::LENGTH);
        // SAFETY: as in `write_short`.
        #[expect(unsafe_code, reason = "a union")]
        let short = unsafe { &mut self.text.short };
        for (place, word) in short.chunks_exact_mut(size_of::<u64>()).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// Writes down a text that [`long`] gave.
    pub(super) const fn write_long(&mut self, kind: Kind, text: *mut [u8]) {
        self.kind_and_length = kind.0 | Self::LONG as u64;
        self.text.long = text;
    }

    const fn length(&self) -> u8 {
        let [length, ..] = self.kind_and_length.to_le_bytes();
        length
    }

    pub(super) const fn kind(&self) -> Kind {
        Kind(self.kind_and_length)
    }

    /// Writes down since when who was first has had the lock.
    pub(super) fn keep(&mut self, since: Since) {
        self.kind_and_length |= Kind::TIMED;
        self.since = since;
    }

    /// Since when who was first has had the lock, if that is known.
    pub(super) const fn since(&self) -> Since {
        if self.kind_and_length & Kind::TIMED == 0 {
            return Since::UNKNOWN;
        }
        self.since
    }

    /// Whether it is of this lock, and its text a short one.
    pub(super) fn is_of(&self, space: u64, text: &[u8]) -> bool {
        let length = self.length();
        // SAFETY: the length says that it is this text.
        #[expect(unsafe_code, reason = "a union")]
        let is_text =
            || length != Self::LONG && unsafe { &self.text.short[..usize::from(length)] == text };
        self.space == space && is_text()
    }

    /// The text. One on the heap is the caller's from here on.
    pub(super) fn key(&self) -> Key {
        // SAFETY: the length says which of the texts it is. That on the heap is read once, see
        // invariant 5 of the bucket.
        #[expect(unsafe_code, reason = "a union, and a box of which it has the pointer")]
        unsafe {
            match self.length() {
                Self::LONG => Key::from_bytes(Box::from_raw(self.text.long).into()),
                length => Key::from_utf8(&self.text.short[..usize::from(length)]),
            }
        }
    }

    /// The text on the heap, if it is there.
    pub(super) const fn long_text(&self) -> Option<*mut [u8]> {
        if self.length() != Self::LONG {
            return None;
        }
        // SAFETY: the length says that it is this text.
        #[expect(unsafe_code, reason = "a union")]
        Some(unsafe { self.text.long })
    }
}

/// A copy of the text on the heap, taken out of its owner's care.
pub(super) fn long(text: &[u8]) -> *mut [u8] {
    assert_fits(text);
    Box::into_raw(Box::from(text))
}

/// To be called before anything is done about a lock of this text.
#[track_caller]
pub(super) fn assert_fits(text: &[u8]) {
    assert!(text.len() <= LONGEST, "a key is longer than 4 GiB");
}

/// Frees a text on the heap.
pub(super) fn free(text: *mut [u8]) {
    // SAFETY: `long` has made it of a box, and by invariant 5 of the bucket nobody else frees it.
    #[expect(unsafe_code, reason = "it is a box again")]
    drop(unsafe { Box::from_raw(text) });
}

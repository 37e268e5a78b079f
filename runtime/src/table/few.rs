//! Several holds of the fast path in the two words of one, so that who takes a few locks together
//! allocates nothing either.
//!
//! A thin hold is known by its bucket, since there is one of them in each. The last one that was added
//! is lowest, where the next one pushes it up, and so is the first to be released. The upper word is in
//! place of a [`Hold`](super::Hold)'s ticket, and those that are drawn never come to [`Few::MARK`]:
//!
//! ```text
//! lower word | ... | index n - 1 | index n |   12 bits an index, and a 1 above the first of them
//! upper word | 1 | ...                         where the lower one has no room left
//! ```

use super::place::Ticket;
use std::iter;

/// The indices of some buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Few(u128);

impl Few {
    /// How many there is room for.
    pub(super) const MOST: usize = 8;
    const BITS: usize = 12;
    /// How many buckets there may be.
    pub(super) const BUCKETS: usize = 1 << Self::BITS;
    const MARK: u64 = 1 << 63;

    pub(super) const NONE: Self = Self(1);

    /// Adds one.
    #[inline]
    pub(super) const fn push(&mut self, index: usize) {
        self.0 = self.0 << Self::BITS | index as u128;
    }

    /// Takes away the one that was added last.
    #[inline]
    pub(super) const fn pop(&mut self) -> Option<usize> {
        let Self(indices) = *self;
        if indices == Self::NONE.0 {
            return None;
        }
        self.0 = indices >> Self::BITS;
        Some(indices as usize % Self::BUCKETS)
    }

    /// The indices, the last one that was added first.
    #[inline]
    pub(super) fn indices(mut self) -> impl Iterator<Item = usize> {
        iter::from_fn(move || self.pop())
    }

    /// The words that a hold has.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    #[inline]
    pub(super) const fn words(self) -> (u64, Ticket) {
        let Self(indices) = self;
        let upper = (indices >> u64::BITS) as u64;
        (indices as u64, Ticket::of_few(upper | Self::MARK))
    }

    /// What the words of a hold stand for; `None` if they are those of one lock.
    #[inline]
    pub(super) const fn of(lower: u64, ticket: Ticket) -> Option<Self> {
        let upper = ticket.word();
        if upper & Self::MARK == 0 {
            return None;
        }
        let upper = (upper & !Self::MARK) as u128;
        Some(Self(upper << u64::BITS | lower as u128))
    }
}

const _: () = assert!(
    Few::MOST * Few::BITS + 1 < u128::BITS as usize,
    "the mark has to be free"
);

#[cfg(test)]
mod tests {
    use super::Few;
    use crate::table::place::Ticket;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn last_of_what_was_added_comes_first(indices in prop::collection::vec(0..Few::BUCKETS, 0..=Few::MOST)) {
            let mut few = Few::NONE;
            for index in &indices {
                few.push(*index);
            }
            let (first, ticket) = few.words();
            let few = Few::of(first, ticket).expect("the mark is there");
            prop_assert!(few.indices().eq(indices.into_iter().rev()));
        }
    }

    #[test]
    fn hold_of_one_lock_is_not_taken_for_several() {
        assert_eq!(Few::of(u64::MAX, Ticket::FIRST), None);
        assert_eq!(Few::of(u64::MAX, Ticket::draw()), None);
    }
}

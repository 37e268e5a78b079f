//! Several holds of the fast path in the two words of one, so that who takes a few locks together
//! allocates nothing either.
//!
//! A thin hold is known by its bucket, since there is one of them in each. The second word of a
//! [`Hold`](super::Hold) is a ticket, and those that are drawn never come to [`Few::MARK`]:
//!
//! ```text
//! first word   | 0000 | index 4 | index 3 | index 2 | index 1 | index 0 |   12 bits an index
//! second word  | 1000 | number of them: 24 bits | index 7 | index 6 | index 5 |
//! ```

use super::place::Ticket;

/// The indices of some buckets, in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Few([u64; 2]);

impl Few {
    /// How many there is room for.
    pub(super) const MOST: usize = 8;
    /// How many are in the first word.
    const FIRST: usize = 5;
    const BITS: usize = 12;
    /// How many buckets there may be.
    pub(super) const BUCKETS: usize = 1 << Self::BITS;
    /// What one is in the count.
    const ONE: u64 = 1 << (3 * Self::BITS);
    const MARK: u64 = 1 << 63;

    pub(super) const NONE: Self = Self([0, Self::MARK]);

    /// Adds one.
    #[inline]
    pub(super) const fn push(&mut self, index: usize) {
        let (word, shift) = Self::at(self.len());
        self.0[word] |= (index as u64) << shift;
        self.0[1] += Self::ONE;
    }

    #[inline]
    const fn len(self) -> usize {
        ((self.0[1] & !Self::MARK) / Self::ONE) as usize
    }

    /// The word that an index is in, and where.
    #[inline]
    const fn at(nth: usize) -> (usize, usize) {
        (nth / Self::FIRST, nth % Self::FIRST * Self::BITS)
    }

    /// The indices, in the order in which they were added.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no more than 12 bits are looked at"
    )]
    #[inline]
    pub(super) fn indices(self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.len()).map(move |nth| {
            let (word, shift) = Self::at(nth);
            (self.0[word] >> shift) as usize % Self::BUCKETS
        })
    }

    /// The words that a hold has.
    #[inline]
    pub(super) const fn words(self) -> (u64, Ticket) {
        let Self([first, second]) = self;
        (first, Ticket::of_few(second))
    }

    /// What the words of a hold stand for; `None` if they are those of one lock.
    #[inline]
    pub(super) const fn of(first: u64, ticket: Ticket) -> Option<Self> {
        let second = ticket.word();
        if second & Self::MARK == 0 {
            return None;
        }
        Some(Self([first, second]))
    }
}

#[cfg(test)]
mod tests {
    use super::Few;
    use crate::table::place::Ticket;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_what_was_added(indices in prop::collection::vec(0..Few::BUCKETS, 0..=Few::MOST)) {
            let mut few = Few::NONE;
            for index in &indices {
                few.push(*index);
            }
            let (first, ticket) = few.words();
            let few = Few::of(first, ticket).expect("the mark is there");
            prop_assert_eq!(few.indices().collect::<Vec<_>>(), indices);
        }
    }

    #[test]
    fn hold_of_one_lock_is_not_taken_for_several() {
        assert_eq!(Few::of(u64::MAX, Ticket::FIRST), None);
        assert_eq!(Few::of(u64::MAX, Ticket::draw()), None);
    }
}

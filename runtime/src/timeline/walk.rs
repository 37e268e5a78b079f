//! Goes through rows in the order of time.

use super::picture::Picture;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What happens to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Begin,
    End,
}

/// The begins and ends of rows that are in the order in which they begin.
#[derive(Debug, Default)]
pub(super) struct Walk {
    next: usize,
    /// Those that have begun: when they end, and whether they are waits, which end after the holds that
    /// they waited for.
    open: BinaryHeap<Reverse<(u64, bool, usize)>>,
}

impl Walk {
    /// How many rows have begun: the first ones.
    #[cfg(all(feature = "inspect", unix))]
    #[inline]
    pub(super) const fn begun(&self) -> usize {
        self.next
    }

    /// The next row to which something happens, and when.
    #[inline]
    pub(super) fn next(&mut self, picture: &Picture) -> Option<(usize, Step, u64)> {
        let next = picture.rows.get(self.next);
        let next = next.map(|row| (row, picture.times(row)));
        if let Some(Reverse((to, _, index))) = self.open.peek().copied() {
            if next.is_none_or(|(_, (from, _))| to <= from) {
                self.open.pop();
                return Some((index, Step::End, to));
            }
        }
        let (row, (from, to)) = next?;
        let index = self.next;
        self.next += 1;
        self.open.push(Reverse((to, !row.is_hold(), index)));
        Some((index, Step::Begin, from))
    }
}

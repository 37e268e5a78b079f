//! What is drawn: holds and waits, within some time.

use super::rows::{Row, Span, What};
use crate::name::Keys;

/// What is drawn.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) rows: Vec<Row>,
    pub(crate) span: Span,
    /// One in how many buckets it is of.
    pub(crate) one_in: usize,
    pub(crate) dropped: u64,
    pub(crate) keys: Keys,
    /// Whether holds may have begun earlier than is known.
    pub(crate) is_seen: bool,
}

impl Picture {
    /// How many holds and waits there are in it.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let holds = self.rows.iter().filter(|row| row.is_hold()).count();
        (holds, self.rows.len() - holds)
    }

    /// Leaves off what is outside of its time, and puts the rest in order.
    pub(crate) fn sort(&mut self) {
        let Span { from, to } = self.span;
        let (from, to) = (from.nanoseconds(), to.nanoseconds());
        self.rows.retain(|row| row.to >= from && row.from <= to);
        let place = |row: &Row| {
            (
                row.from.max(from),
                row.from,
                row.is_hold(),
                row.record.owner,
            )
        };
        self.rows.sort_unstable_by_key(place);
        // A wait that has ended right after it was seen to last is there twice.
        self.rows.dedup_by(|next, row| {
            let is_wait = !next.is_hold() && !row.is_hold();
            let same = |row: &Row| (row.from, row.record.owner, row.space);
            is_wait && same(next) == same(row) && next.key == row.key
        });
    }

    /// When a row begins and ends, in the picture.
    pub(super) fn times(&self, row: &Row) -> (u64, u64) {
        let Span { from, to } = self.span;
        let (first, last) = (from.nanoseconds(), to.nanoseconds());
        let inside = |moment: u64| moment.clamp(first, last) - first;
        (inside(row.from), inside(row.to))
    }

    /// Whether a row has begun before the picture, or goes on after it.
    pub(super) fn is_cut(&self, row: &Row) -> bool {
        let Span { from, to } = self.span;
        let lasts = matches!(row.what, What::LastingHold | What::LastingWait);
        lasts || row.from <= from.nanoseconds() || row.to > to.nanoseconds()
    }
}

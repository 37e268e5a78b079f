//! What is drawn: holds and waits, within some time.

use super::rows::{Row, Span, What};
use crate::name::Keys;
use crate::ordered::sort;
use crate::table::moment::Moment;

/// What is drawn: a whole, or the next part of one.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) rows: Vec<Row>,
    /// From the beginning of the whole.
    pub(crate) span: Span,
    /// When the part before has ended, if there is one.
    pub(crate) since: Option<Moment>,
    /// Whether it doesn't have all that goes on at its end.
    pub(crate) is_crowded: bool,
    pub(crate) keys: Keys,
    /// Whether holds may have begun earlier than is known.
    pub(crate) is_seen: bool,
}

impl Picture {
    /// How many holds and waits there are in it.
    #[inline]
    pub(crate) fn counts(&self) -> (usize, usize) {
        self.counts_after(0)
    }

    /// The same, but for the first rows.
    #[inline]
    pub(super) fn counts_after(&self, rows: usize) -> (usize, usize) {
        let count = |is_hold| {
            let rows = self.rows[rows..].iter();
            let rows = rows.filter(|row| row.is_hold() == is_hold && !row.is_open());
            rows.count()
        };
        (count(true), count(false))
    }

    /// Leaves off what is outside of its time, and puts the rest in order.
    #[inline]
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
        sort(&mut self.rows, |one, other| place(one).cmp(&place(other)));
        // A wait that has ended right after it was seen to last is there twice.
        self.rows.dedup_by(|next, row| {
            let is_wait = !next.is_hold() && !row.is_hold();
            let same = |row: &Row| (row.from, row.record.owner, row.space);
            is_wait && same(next) == same(row) && next.key == row.key
        });
    }

    /// When a row begins and ends, in the picture.
    #[inline]
    pub(super) fn times(&self, row: &Row) -> (u64, u64) {
        let Span { from, to } = self.span;
        let (first, last) = (from.nanoseconds(), to.nanoseconds());
        let inside = |moment: u64| moment.clamp(first, last) - first;
        (inside(row.from), inside(row.to))
    }

    /// Whether the part before has shown that somebody waits.
    #[inline]
    pub(super) fn is_counted(&self, row: &Row) -> bool {
        let is_open_at = |since: Moment| {
            let since = since.nanoseconds();
            row.from < since && row.to > since
        };
        self.since.is_some_and(is_open_at)
    }

    /// Whether a row has begun before the picture, or goes on after it.
    #[inline]
    pub(super) fn is_cut(&self, row: &Row) -> bool {
        let Span { from, to } = self.span;
        let lasts = matches!(row.what, What::LastingHold | What::LastingWait);
        lasts || row.from <= from.nanoseconds() || row.to > to.nanoseconds()
    }
}

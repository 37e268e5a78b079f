//! Holds and waits that are over, in a bounded part of memory.

use crate::key::Key;
use crate::key::text::beginning;
use crate::observe::outcome::Outcome;
use crate::site::Record;
use crate::table::hash::hash;
use crate::table::moment::Moment;
use crate::table::policy::Mode;
use std::collections::VecDeque;

/// So much of a key is kept as it is, in bytes, or a little less.
const KEY: usize = 128;

/// What a text in memory of its own takes beside its bytes, about.
const OF_TEXT: usize = 16;

/// A hold or a wait.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) key: Box<str>,
    pub(crate) record: Record,
    /// In nanoseconds, see [`Moment::nanoseconds`].
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// The space, by the part of its number that is its name's.
    pub(crate) space: u32,
    pub(crate) what: What,
    pub(crate) mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Hold,
    /// One that went on when it was looked at.
    LastingHold,
    Wait(Outcome),
    LastingWait,
}

/// When something was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

impl Row {
    /// `space` is the part of its number that is the name's.
    pub(crate) fn new(
        (space, key): (u64, &Key),
        record: Record,
        mode: Mode,
        Span { from, to }: Span,
        what: What,
    ) -> Self {
        Self {
            key: shortened(key.as_str()),
            record,
            from: from.nanoseconds(),
            to: to.nanoseconds(),
            space: u32::try_from(space).unwrap_or(u32::MAX),
            what,
            mode,
        }
    }

    /// How much memory it takes.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.len() + OF_TEXT
    }

    pub(crate) const fn is_hold(&self) -> bool {
        matches!(self.what, What::Hold | What::LastingHold)
    }
}

/// A long key is its beginning and a number, so that two of one beginning are two.
fn shortened(key: &str) -> Box<str> {
    if key.len() <= KEY {
        return key.into();
    }
    let number = hash(0, key.as_bytes());
    format!("{}…{number:016x}", beginning(key, KEY)).into()
}

/// Rows, of which there are no more than have room.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    kept: VecDeque<Row>,
    bytes: usize,
    /// How many there was no room for.
    dropped: u64,
}

impl Rows {
    pub(crate) const fn new() -> Self {
        Self {
            kept: VecDeque::new(),
            bytes: 0,
            dropped: 0,
        }
    }

    /// Adds a row if it has room in so many bytes, and else counts it.
    pub(crate) fn add(&mut self, row: Row, room: usize) {
        let bytes = self.bytes + row.bytes();
        if bytes > room {
            self.dropped += 1;
        } else {
            self.bytes = bytes;
            self.kept.push_back(row);
        }
    }

    /// Adds a row, for which the oldest ones give way.
    pub(crate) fn add_last(&mut self, row: Row, count: usize, room: usize) {
        self.bytes += row.bytes();
        self.kept.push_back(row);
        while self.kept.len() > count || self.bytes > room {
            let Some(oldest) = self.kept.pop_front() else {
                return;
            };
            self.bytes -= oldest.bytes();
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Row> {
        self.kept.iter()
    }

    /// Takes all of them out, with the number of those that aren't there.
    pub(crate) fn take(&mut self) -> (VecDeque<Row>, u64) {
        let Self { kept, dropped, .. } = std::mem::take(self);
        (kept, dropped)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::owner::Owner;
    use crate::site::Site;

    fn row(key: &str) -> Row {
        let (owner, site) = (Owner::thread(), Site::here());
        let now = Moment::now();
        let span = Span { from: now, to: now };
        let key = Key::new(key);
        Row::new(
            (0, &key),
            Record { owner, site },
            Mode::Shared,
            span,
            What::Hold,
        )
    }

    #[test]
    fn rows_without_room_are_counted() {
        let mut rows = Rows::new();
        let room = 3 * row("0").bytes();
        (0..5).for_each(|number| rows.add(row(&number.to_string()), room));
        assert_eq!(rows.iter().map(|row| &*row.key).collect::<String>(), "012");
        let (taken, dropped) = rows.take();
        assert_eq!((taken.len(), dropped), (3, 2));
        rows.add(row("0"), room);
        assert_eq!(rows.take().1, 0);
    }

    #[test]
    fn oldest_rows_give_way() {
        let mut rows = Rows::new();
        let room = 3 * row("0").bytes();
        (0..5).for_each(|number| rows.add_last(row(&number.to_string()), 9, room));
        assert_eq!(rows.iter().map(|row| &*row.key).collect::<String>(), "234");
        rows.add_last(row("5"), 2, room);
        assert_eq!(rows.iter().map(|row| &*row.key).collect::<String>(), "45");
    }

    #[test]
    fn long_key_is_shortened_between_characters() {
        for (long, kept) in [
            ("é".repeat(100), KEY),
            (format!("x{}", "é".repeat(100)), KEY - 1),
        ] {
            let (one, other) = (row(&long), row(&(long.clone() + "!")));
            let (beginning, number) = one.key.split_once('…').expect("it is cut");
            assert_eq!((beginning, number.len()), (&long[..kept], 16));
            assert!(one.key != other.key && one.key == row(&long).key);
        }
        assert_eq!(*row(&"x".repeat(KEY)).key, "x".repeat(KEY));
        assert!(size_of::<Row>() <= 64);
    }
}

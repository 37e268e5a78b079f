//! Holds and waits that are over, in a bounded part of memory.

use crate::key::Key;
use crate::key::text::beginning;
use crate::observe::outcome::Outcome;
use crate::site::Record;
use crate::table::hash::hash;
use crate::table::moment::Moment;
use crate::table::policy::Mode;
use std::collections::VecDeque;
use std::sync::Arc;

/// So much of a key is kept as it is, in bytes, or a little less.
const KEY: usize = 128;

/// What a text in memory of its own takes beside its bytes, about.
const OF_TEXT: usize = 32;

/// A hold or a wait of a lock.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) key: Arc<str>,
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
    /// What goes on at the end of a part of a picture, and is drawn in a later one.
    OpenHold,
    OpenWait,
}

/// A hold or a wait that is over, or goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over {
    pub(crate) record: Record,
    pub(crate) mode: Mode,
    pub(crate) span: Span,
    pub(crate) what: What,
}

/// When something was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

impl Row {
    /// `space` is the part of its number that is the name's, and the key is as it is [kept](kept_key).
    pub(crate) fn new((space, key): (u64, Arc<str>), over: Over) -> Self {
        let Over {
            record,
            mode,
            span: Span { from, to },
            what,
        } = over;
        Self {
            key,
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
        bytes(self.key.len())
    }

    pub(crate) const fn is_hold(&self) -> bool {
        matches!(self.what, What::Hold | What::LastingHold | What::OpenHold)
    }

    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.what, What::OpenHold | What::OpenWait)
    }

    /// The same in a part of a picture that ends before the row does.
    pub(super) fn still_open(&self, to: Moment) -> Self {
        let what = if self.is_hold() {
            What::OpenHold
        } else {
            What::OpenWait
        };
        let to = to.nanoseconds();
        Self {
            to,
            what,
            ..self.clone()
        }
    }
}

/// How much memory a row takes of which the key is so long.
const fn bytes(length: usize) -> usize {
    size_of::<Row>() + length + OF_TEXT
}

/// The text of a key as it is kept. A long one is its beginning and a number, so that two of one beginning
/// are two.
pub(crate) fn kept_key(key: &Key) -> Arc<str> {
    let key = key.as_str();
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

    /// Adds a row of this key if it has room in so many bytes, and else counts it, so that what has no room
    /// isn't made.
    pub(crate) fn add(&mut self, key: &Key, room: usize, row: impl FnOnce() -> Row) {
        if self.bytes + bytes(key.as_bytes().len().min(KEY)) > room {
            self.dropped += 1;
        } else {
            let row = row();
            self.bytes += row.bytes();
            self.kept.push_back(row);
        }
    }

    /// The text of a key as it is kept, shared with the newest row if that is of the same one.
    pub(crate) fn key(&self, key: &Key) -> Arc<str> {
        let newest = self.kept.back().map(|row| &row.key);
        let same = newest.filter(|newest| newest.as_bytes() == key.as_bytes());
        same.map_or_else(|| kept_key(key), Arc::clone)
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

    /// Whether a quarter of so much room is taken.
    pub(super) const fn is_filling(&self, room: usize) -> bool {
        self.bytes > room / 4
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
        let over = Over {
            record: Record { owner, site },
            mode: Mode::Shared,
            span,
            what: What::Hold,
        };
        Row::new((0, kept_key(&Key::new(key))), over)
    }

    #[test]
    fn rows_without_room_are_counted() {
        let mut rows = Rows::new();
        let room = 3 * row("0").bytes();
        for number in 0..5 {
            rows.add(&Key::new(number), room, || row(&number.to_string()));
        }
        assert_eq!(rows.iter().map(|row| &*row.key).collect::<String>(), "012");
        let (taken, dropped) = rows.take();
        assert_eq!((taken.len(), dropped), (3, 2));
        rows.add(&Key::new(0), room, || row("0"));
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
        assert!(Arc::ptr_eq(&rows.key(&Key::new(5)), &rows.kept[1].key));
        assert_eq!(*rows.key(&Key::new(4)), *"4");
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

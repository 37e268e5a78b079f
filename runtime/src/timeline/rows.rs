//! Holds and waits that are over, in a bounded part of memory.

use crate::key::text::beginning;
use crate::observe::outcome::Outcome;
use crate::site::Record;
use crate::table::hash::hash;
use crate::table::moment::Moment;
use crate::table::policy::Mode;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::mem;
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Over {
    pub(crate) record: Record,
    pub(crate) mode: Mode,
    pub(crate) span: Span,
    pub(crate) what: What,
}

/// When something was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

impl Row {
    /// `space` is the part of its number that is the name's, and the key is as it is [kept].
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
pub(crate) fn kept(text: &[u8]) -> Cow<'_, [u8]> {
    if text.len() <= KEY {
        return Cow::Borrowed(text);
    }
    let (beginning, number) = (beginning(shown(text), KEY), hash(0, text));
    Cow::Owned(format!("{beginning}…{number:016x}").into_bytes())
}

/// The same in memory of its own.
pub(crate) fn kept_key(text: &[u8]) -> Arc<str> {
    shown(&kept(text)).into()
}

/// The text whose bytes they are.
fn shown(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("the bytes of a `str`")
}

/// Rows that were written down, of which there are no more than have room as [`Row`]s.
///
/// Who writes one down is about to release a lock. So the texts of keys are one after the other, and there is no
/// memory of their own for them until they are taken out; nor is it checked before that they are texts.
#[derive(Debug)]
pub(crate) struct Rows {
    written: Vec<Written>,
    texts: Vec<u8>,
    /// How much memory they take as rows.
    bytes: usize,
    /// How many there was no room for.
    dropped: u64,
}

/// A row, but for the text of its key.
#[derive(Debug)]
struct Written {
    over: Over,
    space: u64,
    /// How long the text is.
    length: usize,
}

impl Rows {
    pub(crate) const fn new() -> Self {
        Self {
            written: Vec::new(),
            texts: Vec::new(),
            bytes: 0,
            dropped: 0,
        }
    }

    /// Adds a hold or a wait of a lock, by the part of its space's number that is the name's and by its key as it
    /// is [kept], if it has room in so many bytes, and else counts it.
    pub(crate) fn add(&mut self, (space, key): (u64, &[u8]), over: Over, room: usize) {
        let bytes = self.bytes + bytes(key.len());
        if bytes > room {
            self.dropped += 1;
            return;
        }
        self.bytes = bytes;
        self.texts.extend_from_slice(key);
        self.written.push(Written {
            over,
            space,
            length: key.len(),
        });
    }

    /// Whether a quarter of so much room is taken.
    pub(super) const fn is_filling(&self, room: usize) -> bool {
        self.bytes > room / 4
    }

    /// Takes all of them out, and gives the number of those that aren't there. The memory is kept.
    pub(super) fn take_to(&mut self, rows: &mut Vec<Row>) -> u64 {
        rows.reserve_exact(self.written.len());
        let (mut texts, mut last) = (&*self.texts, None::<Arc<str>>);
        for Written {
            over,
            space,
            length,
        } in self.written.drain(..)
        {
            let (text, others) = texts.split_at(length);
            texts = others;
            let same = last.filter(|last| last.as_bytes() == text);
            let key = same.unwrap_or_else(|| shown(text).into());
            rows.push(Row::new((space, Arc::clone(&key)), over));
            last = Some(key);
        }
        self.texts.clear();
        self.bytes = 0;
        mem::take(&mut self.dropped)
    }
}

/// What was last of one lock.
#[derive(Debug)]
pub(crate) struct Run {
    /// That of the lock.
    pub(crate) hash: u64,
    /// The part of the space's number that is the name's.
    pub(crate) space: u64,
    /// As it is [kept].
    pub(crate) key: Arc<str>,
    pub(crate) over: Vec<Over>,
}

impl Run {
    /// So many holds and waits are one, or some more.
    pub(crate) const LENGTH: usize = if cfg!(all(test, loom)) { 4 } else { 16 };

    fn bytes(&self) -> usize {
        let over = self.over.capacity() * size_of::<Over>();
        size_of::<Self>() + self.key.len() + OF_TEXT + over + OF_TEXT
    }

    /// When the last of it was over.
    fn end(&self) -> Option<Moment> {
        self.over.last().map(|over| over.span.to)
    }

    /// What its rows were in, for others.
    pub(crate) fn memory(mut self) -> Vec<Over> {
        self.over.clear();
        self.over
    }

    fn rows(&self) -> impl Iterator<Item = Row> {
        let of = |over: &Over| Row::new((self.space, Arc::clone(&self.key)), *over);
        self.over.iter().map(of)
    }
}

/// The last runs, which have room together.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// In the order of their ends.
    kept: VecDeque<Run>,
    rows: usize,
    bytes: usize,
}

impl Runs {
    /// Adds one, for which the oldest ones give way: those beyond so many rows, or so many bytes. It may come late
    /// itself, if its shard has had no other for long. Gives memory that has become free.
    pub(crate) fn add(&mut self, run: Run, rows: usize, room: usize) -> Option<Vec<Over>> {
        self.rows += run.over.len();
        self.bytes += run.bytes();
        let is_last = self.kept.back().is_none_or(|one| one.end() <= run.end());
        let place = if is_last {
            self.kept.len() // Nearly always, and what others are in is no longer in the cache.
        } else {
            self.kept.partition_point(|one| one.end() <= run.end())
        };
        self.kept.insert(place, run);
        let mut spare = None;
        while self.rows > rows || self.bytes > room {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.rows -= oldest.over.len();
            self.bytes -= oldest.bytes();
            spare = Some(oldest.memory());
        }
        spare
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> {
        self.kept.iter().flat_map(Run::rows)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::owner::Owner;
    use crate::site::Site;

    fn over() -> Over {
        let (owner, site) = (Owner::thread(), Site::here());
        let now = Moment::now();
        let span = Span { from: now, to: now };
        Over {
            record: Record { owner, site },
            mode: Mode::Shared,
            span,
            what: What::Hold,
        }
    }

    #[test]
    fn rows_without_room_are_counted() {
        let mut rows = Rows::new();
        let room = 4 * bytes(1);
        let add = |rows: &mut Rows, key: &str| rows.add((7, key.as_bytes()), over(), room);
        for key in ["0", "1", "1", "2", "3", "4"] {
            add(&mut rows, key);
        }
        let mut taken = Vec::new();
        assert_eq!(rows.take_to(&mut taken), 2);
        assert_eq!(
            taken.iter().map(|row| &*row.key).collect::<String>(),
            "0112"
        );
        assert!(taken.iter().all(|row| row.space == 7));
        assert!(Arc::ptr_eq(&taken[1].key, &taken[2].key));
        add(&mut rows, "é");
        assert_eq!(rows.take_to(&mut taken), 0);
        assert_eq!(taken.last().map(|row| &*row.key), Some("é"));
    }

    #[test]
    fn oldest_runs_give_way() {
        let run = |number: usize, rows| Run {
            hash: 0,
            space: 7,
            key: number.to_string().into(),
            over: vec![over(); rows],
        };
        let keys = |runs: &Runs| {
            runs.rows()
                .map(|row| row.key.to_string())
                .collect::<String>()
        };
        let mut runs = Runs::default();
        let room = 3 * run(0, 1).bytes();
        for number in 0..5 {
            let spare = runs.add(run(number, 1), 9, room);
            assert_eq!(spare, (number > 2).then(Vec::new));
        }
        assert_eq!(keys(&runs), "234");
        let _one = runs.add(run(5, 1), 2, room);
        assert_eq!(keys(&runs), "45");
        let _one = runs.add(run(6, 3), 4, 2 * room);
        assert_eq!(keys(&runs), "5666");
        let mut large = run(7, 1);
        large.over.reserve_exact(3);
        let _one = runs.add(large, 9, room);
        assert_eq!(keys(&runs), "7");
    }

    #[test]
    fn run_that_comes_late_gives_way_before_those_that_are_newer() {
        let run = |key: &str, end| {
            let mut over = over();
            over.span.to = Moment::of_nanoseconds(end);
            Run {
                hash: 0,
                space: 7,
                key: key.into(),
                over: vec![over],
            }
        };
        let mut runs = Runs::default();
        for (key, end) in [("b", 2), ("d", 4), ("c", 3), ("a", 1), ("e", 5)] {
            let _one = runs.add(run(key, end), 3, usize::MAX);
        }
        let kept = runs.rows().map(|row| row.key.to_string());
        assert_eq!(kept.collect::<String>(), "cde");
    }

    #[test]
    fn long_key_is_shortened_between_characters() {
        let kept = |key: &str| kept_key(key.as_bytes()).to_string();
        for (long, length) in [
            ("é".repeat(100), KEY),
            (format!("x{}", "é".repeat(100)), KEY - 1),
        ] {
            let (one, other) = (kept(&long), kept(&(long.clone() + "!")));
            let (beginning, number) = one.split_once('…').expect("it is cut");
            assert_eq!((beginning, number.len()), (&long[..length], 16));
            assert!(one != other && one == kept(&long));
        }
        assert_eq!(kept(&"x".repeat(KEY)), "x".repeat(KEY));
        assert!(size_of::<Row>() <= 64);
    }
}

//! How many of a process wait for a lock file, as others can read it in the file.
//!
//! The kernel shows one wait of a process, however many of its threads and tasks wait behind that
//! one, and none of those who wait for a holder in their own process. So the process writes a line
//! of [`LENGTH`] bytes into the file, behind what [`record`] has there:
//!
//! ```text
//! waiters 3f29a07c count=3 kernel=1 pid=4711 thread=4720 start=90017 ns=4026531836 host=811c9dc5
//! ```
//!
//! The second word is a checksum of the rest. There is room for [`MOST`] such lines, and a process
//! takes a place that is blank, or whose writer is gone. Two that take one at a time see it when
//! they look the next time, see [`tell`](super::tell); who finds no place is counted by what the
//! kernel shows.
//!
//! The thread that writes it is named, see [`teller`](super::teller): what it says is believed for as
//! long as the thread lives.

use super::record;
use super::sealed::{blank, field, number, seal_in, unseal};
use super::teller::{Teller, Written};
use std::cell::LazyCell;
use std::io;

/// How long a line is, in bytes.
pub(super) const LENGTH: usize = 128;

/// How many there can be: as many as fit, with all before them, into a block of most file systems.
const MOST: usize = 29;

/// Where they begin.
const START: usize = record::LENGTH + record::MARK;

const MAGIC: &str = "waiters ";

/// Those of one process who wait for a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Its threads and tasks.
    pub(super) waiters: usize,
    /// Its waits that the kernel shows. One that was left by a timeout is for nobody.
    pub(super) in_kernel: usize,
}

/// What a process has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) by: Teller,
    pub(super) count: Count,
}

impl Line {
    fn to_bytes(self) -> Option<[u8; LENGTH]> {
        let Count { waiters, in_kernel } = self.count;
        let text = format!("count={waiters} kernel={in_kernel} {}", self.by);
        seal_in(MAGIC, &text)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = unseal(MAGIC, bytes)?;
        let number = |name| number(field(text, name)?);
        Some(Self {
            by: Teller::read(text)?,
            count: Count {
                waiters: number("count")?,
                in_kernel: number("kernel")?,
            },
        })
    }
}

/// A place that nobody has.
const BLANK: [u8; LENGTH] = blank();

/// All lines of a file, as they were read.
pub(super) struct Lines([u8; START + MOST * LENGTH]);

/// What to write, and where.
pub(super) type Write = (usize, [u8; LENGTH]);

impl Lines {
    /// As `read` gives the beginning of the file.
    pub(super) fn read(read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<Self> {
        let mut bytes = [0; START + MOST * LENGTH];
        read(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// What is at each place.
    fn places(&self) -> impl Iterator<Item = &[u8]> {
        self.0[START..].chunks_exact(LENGTH)
    }

    /// Those that are to be believed, but for this process's own: it knows itself how many wait.
    pub(super) fn of_others(&self) -> impl Iterator<Item = Line> {
        // Most files have none, and then nobody needs to know that.
        let namespace = LazyCell::new(|| record::namespace().unwrap_or(0));
        let lines = self.places().filter_map(Line::from_bytes);
        lines.filter(move |Line { by, .. }| {
            let namespace = *namespace;
            let is_own = by.is_of_process(std::process::id(), namespace);
            !is_own && by.is_near(namespace) && by.is_alive()
        })
    }

    /// What to write so that the file says how many of a process wait; nothing if it says so, or
    /// has no place for it.
    pub(super) fn telling(&self, by: Teller, count: Count) -> Option<Write> {
        let wanted = match count {
            Count {
                waiters: 0,
                in_kernel: 0,
            } => None,
            count => Some(Line { by, count }),
        };
        let lines: Vec<_> = self.places().map(Line::from_bytes).collect();
        let is_own = |line: &Option<Line>| line.is_some_and(|line| line.by == by);
        let place = match lines.iter().position(is_own) {
            Some(own) if lines[own] == wanted => return None,
            Some(own) => own,
            None => {
                wanted?;
                let teller = |place: &[u8]| Line::from_bytes(place).map(|line| line.by);
                let places = self.places().map(|place| Written::at(place, teller));
                by.free_place(&places.collect::<Vec<_>>())?
            }
        };
        let bytes = wanted.map_or(Some(BLANK), Line::to_bytes)?;
        Some((START + place * LENGTH, bytes))
    }

    /// What to write so that the file says nothing more of this process, whichever of its threads
    /// has told. A child of a fork is another process.
    pub(super) fn retraction(&self) -> Option<Write> {
        let namespace = record::namespace()?;
        let is_own = |bytes: &[u8]| {
            let line = Line::from_bytes(bytes);
            line.is_some_and(|line| line.by.is_of_process(std::process::id(), namespace))
        };
        let place = self.places().position(is_own)?;
        Some((START + place * LENGTH, BLANK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Count = Count {
        waiters: 3,
        in_kernel: 1,
    };

    /// What a file has.
    struct File(Vec<u8>);

    impl File {
        fn lines(&self) -> Lines {
            let read = |bytes: &mut [u8]| {
                bytes[..self.0.len()].copy_from_slice(&self.0);
                Ok(self.0.len())
            };
            Lines::read(read).unwrap()
        }

        fn write(&mut self, (offset, bytes): Write) {
            let end = offset + bytes.len();
            self.0.resize(self.0.len().max(end), 0);
            self.0[offset..end].copy_from_slice(&bytes);
        }

        fn tell(&mut self, by: Teller, count: Count) {
            let write = self.lines().telling(by, count);
            self.write(write.expect("it is to be written"));
        }

        fn all(&self) -> Vec<Line> {
            let lines = self.lines();
            lines.places().filter_map(Line::from_bytes).collect()
        }
    }

    fn teller() -> Teller {
        Teller::new().unwrap()
    }

    /// Of a process that has this one's id, and its thread's.
    fn gone() -> Teller {
        let own = teller();
        Teller {
            start: own.start + 1,
            ..own
        }
    }

    #[test]
    fn line_says_what_was_written_last() {
        let (mut file, by) = (File(Vec::new()), teller());
        file.tell(by, ONE);
        assert_eq!(file.all(), [Line { by, count: ONE }]);
        assert!(file.lines().telling(by, ONE).is_none());
        file.tell(by, Count { waiters: 2, ..ONE });
        assert_eq!(file.all()[0].count.waiters, 2);
        file.tell(by, Count::default());
        assert!(file.all().is_empty());
        assert!(file.lines().telling(by, Count::default()).is_none());
    }

    #[test]
    fn place_of_one_that_is_gone_is_taken() {
        let (mut file, gone, by) = (File(Vec::new()), gone(), teller());
        file.tell(gone, ONE);
        file.tell(by, ONE);
        assert_eq!(file.all(), [Line { by, count: ONE }]);
    }

    #[test]
    fn what_is_no_line_stays() {
        let text = vec![b'x'; START + MOST * LENGTH];
        assert!(File(text).lines().telling(teller(), ONE).is_none());
    }

    #[test]
    fn place_of_who_cannot_be_looked_at_is_taken_last() {
        let (mut file, by) = (File(Vec::new()), teller());
        for number in 0..MOST {
            let thread = u32::try_from(number).unwrap();
            let namespace = by.namespace + 1;
            file.tell(
                Teller {
                    thread,
                    namespace,
                    ..by
                },
                ONE,
            );
        }
        assert_eq!(file.all().len(), MOST);
        assert!(file.lines().of_others().next().is_none());
        file.tell(by, ONE);
        let lines = file.all();
        assert_eq!(
            (lines.len(), lines.contains(&Line { by, count: ONE })),
            (MOST, true)
        );
    }

    #[test]
    fn what_the_process_has_told_by_any_thread_is_taken_back() {
        let (mut file, by) = (File(Vec::new()), teller());
        assert!(file.lines().retraction().is_none());
        file.tell(by, ONE);
        let write = file.lines().retraction().unwrap();
        file.write(write);
        assert!(file.all().is_empty());
    }

    #[test]
    fn longest_line_that_is_written_is_read() {
        let by = Teller {
            pid: 4_194_304,
            thread: 4_194_304,
            start: u64::MAX >> 16,
            namespace: u64::from(u32::MAX),
            host: u32::MAX,
        };
        let count = Count {
            waiters: 99_999,
            in_kernel: 2,
        };
        let line = Line { by, count };
        assert_eq!(Line::from_bytes(&line.to_bytes().unwrap()), Some(line));
        let count = Count {
            waiters: usize::MAX,
            in_kernel: usize::MAX,
        };
        assert!(Line { by, count }.to_bytes().is_none());
    }
}

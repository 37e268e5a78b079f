//! What a holder of a lock file waits for, as others can read it in the file.
//!
//! A holder that has waited for a while for another lock file, which another process has, is
//! *behind* that one. Its process says so in the file that it holds, on a line of [`LENGTH`] bytes
//! at [`START`], in the block after all others:
//!
//! ```text
//! behind 3f29a07c wait=7 pid=4711 thread=4720 start=90017 ns=4026531836 host=811c9dc5 device=2049 inode=131 site=fetch (src/image.rs:12) file=/run/lock/nova-b
//! ```
//!
//! It takes the line away when the wait has ended, and before it releases the lock. So what such a
//! line says is true as long as its writer lives: its process has the lock, and waits. The
//! number of the wait is unique in the process. The file that it waits for is named by its path, and by
//! its device and inode, since the path may lead a reader elsewhere.
//!
//! There is room for [`MOST`] processes that share a lock. One that finds no place, and a path that
//! doesn't fit, are not told.

use super::sealed::{blank, field, number, seal_in, unseal};
use super::teller::{Teller, Written};
use std::io;
use std::path::{Path, PathBuf};

/// How long a line is, in bytes.
pub(super) const LENGTH: usize = 1024;

/// How many there can be.
pub(super) const MOST: usize = 4;

/// Where they begin.
pub(super) const START: usize = 4096;

const MAGIC: &str = "behind ";

/// What a process has told of one of its holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Behind {
    pub(super) by: Teller,
    /// The number of the wait.
    pub(super) wait: u64,
    /// Where in the code it waits.
    pub(super) site: String,
    /// The device and inode of the file that it waits for.
    pub(super) identity: [u64; 2],
    pub(super) path: PathBuf,
}

impl Behind {
    fn to_bytes(&self) -> Option<[u8; LENGTH]> {
        let Self {
            by,
            wait,
            site,
            identity: [device, inode],
            path,
        } = self;
        let path = path.to_str()?;
        if path.chars().any(char::is_control) || path.trim_end() != path {
            return None;
        }
        let site: String = site.chars().filter(|char| !char.is_control()).collect();
        let text =
            format!("wait={wait} {by} device={device} inode={inode} site={site} file={path}");
        seal_in(MAGIC, &text)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = unseal(MAGIC, bytes)?;
        let (numbers, rest) = text.split_once(" site=")?;
        let (site, path) = rest.split_once(" file=")?;
        let number = |name| number(field(numbers, name)?);
        let path = PathBuf::from(path);
        Some(Self {
            by: Teller::read(numbers)?,
            wait: number("wait")?,
            site: site.to_owned(),
            identity: [number("device")?, number("inode")?],
            path: path.is_absolute().then_some(path)?,
        })
    }

    /// The directory of the file that it waits for, and the name in it.
    pub(super) fn lock(&self) -> (&Path, &str) {
        let name = self.path.file_name().and_then(|name| name.to_str());
        let directory = self.path.parent().unwrap_or(&self.path);
        (directory, name.unwrap_or_default())
    }
}

/// A place that nobody has.
pub(super) const BLANK: [u8; LENGTH] = blank();

/// All lines of a file, as they were read.
pub(super) struct Lines(Vec<u8>);

/// What to write, and where.
pub(super) type Write = (usize, [u8; LENGTH]);

impl Lines {
    /// As `read` gives the beginning of the file.
    pub(super) fn read(read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<Self> {
        let mut bytes = vec![0; START + MOST * LENGTH];
        read(&mut bytes)?;
        Ok(Self(bytes))
    }

    fn places(&self) -> impl Iterator<Item = &[u8]> {
        self.0[START..].chunks_exact(LENGTH)
    }

    /// What is written.
    pub(super) fn all(&self) -> impl Iterator<Item = Behind> {
        self.places().filter_map(Behind::from_bytes)
    }

    /// Those that are to be believed by a process of a PID namespace.
    pub(super) fn believed(&self, namespace: u64) -> impl Iterator<Item = Behind> {
        self.all()
            .filter(move |Behind { by, .. }| by.is_near(namespace) && by.is_alive())
    }

    /// What to write so that the file says it, in place of all that this process has said before;
    /// nothing where there is no place for it.
    pub(super) fn saying(&self, behind: &Behind) -> Option<Write> {
        let teller = |place: &[u8]| Behind::from_bytes(place).map(|line| line.by);
        let places = self.places().map(|place| Written::at(place, teller));
        let places: Vec<_> = places.collect();
        let own = self.own_place(behind.by.pid, behind.by.namespace);
        let place = own.or_else(|| behind.by.free_place(&places))?;
        Some((START + place * LENGTH, behind.to_bytes()?))
    }

    /// What to write so that the file says nothing more of this process, whichever of its threads
    /// has told. A child of a fork is another process.
    pub(super) fn retraction(&self, pid: u32, namespace: u64) -> Option<Write> {
        Some((START + self.own_place(pid, namespace)? * LENGTH, BLANK))
    }

    fn own_place(&self, pid: u32, namespace: u64) -> Option<usize> {
        self.places().position(|place| {
            let line = Behind::from_bytes(place);
            line.is_some_and(|line| line.by.is_of_process(pid, namespace))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(by: Teller, path: &str) -> Behind {
        Behind {
            by,
            wait: 7,
            site: "fetch (src/image.rs:12)".to_owned(),
            identity: [2049, 131],
            path: path.into(),
        }
    }

    fn file(write: impl IntoIterator<Item = Write>) -> Lines {
        let mut file = Lines(vec![0; START + MOST * LENGTH]);
        for (offset, bytes) in write {
            file.0[offset..offset + LENGTH].copy_from_slice(&bytes);
        }
        file
    }

    fn all(file: &Lines, by: Teller) -> Vec<Behind> {
        file.believed(by.namespace).collect()
    }

    #[test]
    fn line_that_is_written_is_read_and_taken_back() {
        let by = Teller::new().unwrap();
        let (one, other) = (behind(by, "/run/a b=c"), behind(by, "/run/b"));
        let mut lines = file(file([]).saying(&one));
        assert_eq!(all(&lines, by), [one]);
        // In the same place, whatever it was.
        lines = file(lines.saying(&other));
        assert_eq!(all(&lines, by), [other]);
        assert!(all(&file(lines.retraction(by.pid, by.namespace)), by).is_empty());
        assert!(file([]).retraction(by.pid, by.namespace).is_none());
    }

    #[test]
    fn line_of_one_that_is_gone_or_elsewhere_says_nothing() {
        let by = Teller::new().unwrap();
        for other in [
            Teller {
                start: by.start + 1,
                ..by
            },
            Teller {
                namespace: by.namespace + 1,
                ..by
            },
            Teller {
                host: by.host ^ 1,
                ..by
            },
        ] {
            let line = Behind {
                by: other,
                ..behind(by, "/a")
            };
            let lines = file([(START, line.to_bytes().unwrap())]);
            assert!(all(&lines, by).is_empty());
        }
    }

    #[test]
    fn path_that_would_be_read_as_another_is_not_written() {
        let by = Teller::new().unwrap();
        let long = format!("/{}", "x".repeat(LENGTH));
        for path in ["/a\nb", "/a ", &long] {
            assert!(file([]).saying(&behind(by, path)).is_none(), "{path}");
        }
        let mut bytes = behind(by, "/a").to_bytes().unwrap();
        bytes[40] ^= 1;
        assert!(Behind::from_bytes(&bytes).is_none());
        // Nobody says where it begins.
        let relative = behind(by, "a").to_bytes().unwrap();
        assert!(Behind::from_bytes(&relative).is_none());
    }

    /// As a look sees it that comes in the middle.
    #[test]
    fn line_that_is_half_another_one_says_nothing() {
        let by = Teller::new().unwrap();
        let one = Behind {
            wait: 8,
            identity: [2049, 13],
            ..behind(by, "/run/lock/a")
        };
        let other = behind(by, "/run/lock/other");
        let blank = Some(BLANK);
        let lines = [one.to_bytes(), other.to_bytes(), blank].map(Option::unwrap);
        for (before, after) in [(0, 1), (1, 0), (0, 2), (2, 0)] {
            for middle in 0..=LENGTH {
                let mut bytes = lines[before];
                bytes[..middle].copy_from_slice(&lines[after][..middle]);
                let read = Behind::from_bytes(&bytes);
                let whole = [&one, &other].map(Some);
                assert!(read.is_none() || whole.contains(&read.as_ref()), "{read:?}");
            }
        }
    }

    #[test]
    fn what_is_no_line_stays() {
        let by = Teller::new().unwrap();
        let lines = Lines(vec![b'x'; START + MOST * LENGTH]);
        assert!(lines.saying(&behind(by, "/a")).is_none());
    }
}

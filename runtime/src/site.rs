//! Who holds a lock: the place in the code, and the thread or task.

use crate::owner::Owner;
use std::fmt;
use std::panic::Location;
use std::thread::Thread;

/// A place in the code that takes a lock.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41)` for an annotated
/// function, and `src/cells.rs:41` for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// A reference to the name, since the name itself would be two words.
    pub(crate) function: Option<&'static &'static str>,
    pub(crate) location: &'static Location<'static>,
}

impl Site {
    /// The caller's place.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn here() -> Self {
        Self {
            function: None,
            location: Location::caller(),
        }
    }

    /// An annotated function, whose attribute is the caller.
    #[inline]
    #[track_caller]
    pub(crate) const fn of_function(name: &'static &'static str) -> Self {
        Self {
            function: Some(name),
            location: Location::caller(),
        }
    }

    /// The annotated function's name, if the lock was taken by the attribute.
    #[must_use]
    pub fn function(&self) -> Option<&'static str> {
        self.function.copied()
    }

    /// The file and the line.
    #[must_use]
    pub const fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.location.file(), self.location.line());
        match self.function {
            Some(function) => write!(f, "{function} ({file}:{line})"),
            None => write!(f, "{file}:{line}"),
        }
    }
}

/// What is written down when a lock is taken: who, and where in the code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) owner: Owner,
    pub(crate) site: Site,
}

/// Who has a lock: a site, and the thread or task it runs in.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41) in thread "worker-3"`.
#[derive(Clone, Debug)]
pub struct Holder {
    site: Site,
    who: Who,
}

#[derive(Clone, Debug)]
enum Who {
    Task,
    Thread(Thread),
    /// Its guard was forgotten.
    EndedThread,
    /// Its guard was sent on.
    Unknown,
}

impl Holder {
    /// Where the lock was taken.
    #[must_use]
    pub const fn site(&self) -> Site {
        self.site
    }
}

impl From<Record> for Holder {
    /// Looks up the thread's name, so not for the path that takes a lock.
    fn from(Record { owner, site }: Record) -> Self {
        let who = match owner.find_thread() {
            _ if owner.is_task() => Who::Task,
            _ if owner == Owner::UNKNOWN => Who::Unknown,
            Some(thread) => Who::Thread(thread),
            None => Who::EndedThread,
        };
        Self { site, who }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in ", self.site)?;
        match &self.who {
            Who::Task => f.write_str("an async task"),
            Who::Unknown => f.write_str("a guard that was sent on, or a thread that ends"),
            Who::EndedThread => f.write_str("a thread that has ended"),
            Who::Thread(thread) => match thread.name() {
                Some(name) => write!(f, "thread \"{name}\""),
                None => write!(f, "an unnamed thread, {:?}", thread.id()),
            },
        }
    }
}

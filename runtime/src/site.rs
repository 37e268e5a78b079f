//! Who holds a lock: the place in the code, and the thread or task.

use std::fmt;
use std::panic::Location;
use std::thread::{self, Thread};

/// A place in the code that takes a lock.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41)` for an annotated
/// function, and `src/cells.rs:41` for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    function: Option<&'static str>,
    location: &'static Location<'static>,
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
    pub(crate) const fn of_function(name: &'static str) -> Self {
        Self {
            function: Some(name),
            location: Location::caller(),
        }
    }

    /// The annotated function's name, if the lock was taken by the attribute.
    #[must_use]
    pub const fn function(&self) -> Option<&'static str> {
        self.function
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

/// Who has a lock: a site, and the thread or task it runs in.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41) in thread "worker-3"`.
#[derive(Clone, Debug)]
pub struct Holder {
    site: Site,
    /// `None` when the holder is an async task, which has no name to give.
    thread: Option<Thread>,
}

impl Holder {
    pub(crate) fn thread(site: Site) -> Self {
        Self {
            site,
            thread: Some(thread::current()),
        }
    }

    pub(crate) const fn task(site: Site) -> Self {
        Self { site, thread: None }
    }

    /// Where the lock was taken.
    #[must_use]
    pub const fn site(&self) -> Site {
        self.site
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.site;
        match &self.thread {
            None => write!(f, "{site} in an async task"),
            Some(thread) => match thread.name() {
                Some(name) => write!(f, "{site} in thread \"{name}\""),
                None => write!(f, "{site} in an unnamed thread, {:?}", thread.id()),
            },
        }
    }
}

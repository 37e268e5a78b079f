//! Who holds a lock: the place in the code, and the thread or task.

use crate::file::FileRecord;
use crate::owner::Owner;
use std::fmt;
use std::panic::Location;
use std::thread::Thread;
use std::time::SystemTime;

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

/// Who has a lock: a site, and the thread or task it runs in, or the process.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41) in thread "worker-3"`, and of
/// another process `connect (src/cells.rs:41) in process 4711 (nova-compute), for 3.2s`.
#[derive(Clone, Debug)]
pub struct Holder(Who);

#[derive(Clone, Debug)]
enum Who {
    Task(Site),
    Thread(Site, Thread),
    /// Its guard was forgotten.
    EndedThread(Site),
    /// Its guard was sent on.
    Unknown(Site),
    /// As it has written into the lock file.
    Process(Box<FileRecord>),
    /// A process that writes nothing down, and its command.
    Stranger(u32, Option<Box<str>>),
}

impl Holder {
    /// Where the lock was taken; `None` if that was in another process, whose text is all
    /// there is.
    #[must_use]
    pub const fn site(&self) -> Option<Site> {
        match &self.0 {
            Who::Task(site)
            | Who::Thread(site, _)
            | Who::EndedThread(site)
            | Who::Unknown(site) => Some(*site),
            Who::Process(_) | Who::Stranger(..) => None,
        }
    }

    /// Where in the code the lock was taken, as text, and of another process as well, if that
    /// writes it down.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        match &self.0 {
            Who::Process(record) => Some(record.site.escape_debug().to_string()),
            _ => self.site().map(|site| site.to_string()),
        }
    }

    /// The host of the process, if it is another one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.0 {
            Who::Process(record) => record.other_host(),
            _ => None,
        }
    }

    /// The id of the process, if it is another one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match &self.0 {
            Who::Process(record) => Some(record.pid),
            Who::Stranger(pid, _) => Some(*pid),
            _ => None,
        }
    }

    /// The command of the process, if it is another one.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        match &self.0 {
            Who::Process(record) => Some(&record.command),
            Who::Stranger(_, command) => command.as_deref(),
            _ => None,
        }
    }

    /// Since when another process has the lock, by the clock of its host.
    #[must_use]
    pub fn since(&self) -> Option<SystemTime> {
        match &self.0 {
            Who::Process(record) => Some(record.since()),
            _ => None,
        }
    }

    pub(crate) fn process(record: FileRecord) -> Self {
        Self(Who::Process(Box::new(record)))
    }

    pub(crate) fn stranger(pid: u32, command: Option<String>) -> Self {
        Self(Who::Stranger(pid, command.map(Box::from)))
    }
}

impl From<Record> for Holder {
    /// Looks up the thread's name, so not for the path that takes a lock.
    fn from(Record { owner, site }: Record) -> Self {
        Self(match owner.find_thread() {
            _ if owner.is_task() => Who::Task(site),
            _ if owner == Owner::UNKNOWN => Who::Unknown(site),
            Some(thread) => Who::Thread(site, thread),
            None => Who::EndedThread(site),
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Who::Task(site) => write!(f, "{site} in an async task"),
            Who::Unknown(site) => {
                write!(
                    f,
                    "{site} in a guard that was sent on, or a thread that ends"
                )
            }
            Who::EndedThread(site) => write!(f, "{site} in a thread that has ended"),
            Who::Thread(site, thread) => match thread.name() {
                Some(name) => write!(f, "{site} in thread \"{name}\""),
                None => write!(f, "{site} in an unnamed thread, {:?}", thread.id()),
            },
            Who::Process(record) => fmt::Display::fmt(record, f),
            Who::Stranger(pid, Some(command)) => write!(f, "process {pid} ({command})"),
            Who::Stranger(pid, None) => write!(f, "process {pid}"),
        }
    }
}

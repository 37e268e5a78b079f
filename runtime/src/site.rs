//! Who holds a lock: the place in the code, and the thread or task.

use crate::file::FileRecord;
use crate::owner::Owner;
use std::fmt;
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::thread::Thread;
use std::time::SystemTime;

/// A place in the code that takes a lock.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41)` for an annotated
/// function, and `src/cells.rs:41` for a call.
///
/// It is one word, since it is written down at each acquisition: the address of a
/// [`Location`], or that of a [`Function`] with its lowest bit set.
///
/// # Examples
///
/// ```
/// use lockutils::Site;
///
/// let site = Site::here();
/// assert_eq!(site.location().line(), line!() - 1);
/// assert_eq!(site.function(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Site(NonNull<()>);

/// An annotated function, which is a constant in its code.
#[doc(hidden)]
#[derive(Debug)]
pub struct Function {
    name: &'static str,
    location: &'static Location<'static>,
}

// So that the lowest bit is free.
const _: () = assert!(align_of::<Location<'_>>() > 1 && align_of::<Function>() > 1);

// SAFETY: it is a shared reference to one of two types that are `Sync`.
#[expect(unsafe_code, reason = "a pointer that stands for a shared reference")]
unsafe impl Send for Site {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a pointer that stands for a shared reference")]
unsafe impl Sync for Site {}

impl Function {
    /// The function with this name, whose attribute is the caller.
    #[must_use]
    #[track_caller]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            location: Location::caller(),
        }
    }
}

impl Site {
    /// The caller's place.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn here() -> Self {
        match NonNull::new(ptr::from_ref(Location::caller()).cast_mut().cast()) {
            Some(location) => Self(location),
            None => unreachable!(),
        }
    }

    #[inline]
    pub(crate) const fn of_function(function: &'static Function) -> Self {
        let function = ptr::from_ref(function).cast_mut().cast::<()>();
        Self(NonNull::new(function.wrapping_byte_add(1)).expect("next to a reference"))
    }

    /// The annotated function's name, if the lock was taken by the attribute.
    #[must_use]
    pub fn function(&self) -> Option<&'static str> {
        self.place().err().map(|function| function.name)
    }

    /// The file and the line.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.place().unwrap_or_else(|function| function.location)
    }

    /// What the word is the address of.
    #[expect(unsafe_code, reason = "the word becomes the reference it was")]
    fn place(&self) -> Result<&'static Location<'static>, &'static Function> {
        let word = self.0.as_ptr();
        if word.addr() % 2 == 0 {
            // SAFETY: only `here` makes a word with this bit clear, of such a reference.
            Ok(unsafe { &*word.cast() })
        } else {
            // SAFETY: only `of_function` makes a word with this bit set, next to such a
            // reference.
            Err(unsafe { &*word.wrapping_byte_sub(1).cast() })
        }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({self})")
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.location().file(), self.location().line());
        match self.function() {
            Some(function) => write!(f, "{function} ({file}:{line})"),
            None => write!(f, "{file}:{line}"),
        }
    }
}

/// What is written down when a lock is taken: who, and where in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) owner: Owner,
    pub(crate) site: Site,
}

/// Who has a lock: a site, and the thread or task it runs in, or the process.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41) in thread "worker-3"`, and of
/// another process `connect (src/cells.rs:41) in process 4711 (nova-compute), for 3.2s`.
///
/// # Examples
///
/// ```
/// let _guard = lockutils::lock("holder");
/// let error = lockutils::try_lock("holder").unwrap_err();
/// let holder = error.holder().unwrap();
/// assert!(holder.site().unwrap().location().line() > 0);
/// println!("{holder}"); // src/main.rs:1 in thread "main"
/// ```
#[derive(Clone)]
pub struct Holder(Who);

#[derive(Clone)]
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
            Who::Process(record) => Some(record.place()?.escape_debug().to_string()),
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

    /// The number of the PID namespace of the process, if it is another one, as a container
    /// has: there [`Holder::pid`] means something, and here it is some other process, or none.
    /// `/proc/PID/ns/pid` shows those of the processes here.
    #[must_use]
    pub fn pid_namespace(&self) -> Option<u64> {
        match &self.0 {
            Who::Process(record) => record.other_namespace(),
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

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holder({self})")
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

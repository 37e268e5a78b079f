//! Who has a lock: in this process, or elsewhere.

use crate::owner::Owner;
use crate::site::{Record, Site};
use std::fmt;
use std::thread::Thread;
use std::time::SystemTime;

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
    /// One that isn't in this process.
    Elsewhere(Box<Elsewhere>),
}

/// A process that isn't this one, as far as is known.
#[derive(Clone, Debug)]
pub(crate) struct Elsewhere {
    pub(crate) pid: Option<u32>,
    pub(crate) command: Option<String>,
    /// Where in its code it has taken the lock.
    pub(crate) place: Option<String>,
    /// If it is another one.
    pub(crate) host: Option<String>,
    /// The number of its PID namespace, if it is another one.
    pub(crate) pid_namespace: Option<u64>,
    /// When it has taken the lock.
    pub(crate) since: Option<SystemTime>,
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
            Who::Elsewhere(_) => None,
        }
    }

    /// Where in the code the lock was taken, as text, and of another process as well, if that
    /// writes it down.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        match self.elsewhere() {
            Some(elsewhere) => Some(elsewhere.place.as_ref()?.escape_debug().to_string()),
            None => self.site().map(|site| site.to_string()),
        }
    }

    /// The host of the process, if it is another one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.elsewhere()?.host.as_deref()
    }

    /// The number of the PID namespace of the process, if it is another one, as a container
    /// has: there [`Holder::pid`] means something, and here it is some other process, or none.
    /// `/proc/PID/ns/pid` shows those of the processes here.
    #[must_use]
    pub fn pid_namespace(&self) -> Option<u64> {
        self.elsewhere()?.pid_namespace
    }

    /// The id of the process, if it is another one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.elsewhere()?.pid
    }

    /// The command of the process, if it is another one.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        self.elsewhere()?.command.as_deref()
    }

    /// Since when another process has the lock, by the clock of its host.
    #[must_use]
    pub fn since(&self) -> Option<SystemTime> {
        self.elsewhere()?.since
    }

    /// A process of this host, for a lock engine that knows no more of who has a lock: see
    /// [`Engine::holder`](crate::engine::Engine::holder). The methods whose names begin with `with`
    /// add what it knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::Holder;
    ///
    /// let holder = Holder::of_process(4711).with_host("node-3").with_command("nova-compute");
    /// assert_eq!(holder.to_string(), "process 4711 (nova-compute) on node-3");
    /// ```
    #[must_use]
    pub fn of_process(pid: u32) -> Self {
        Self::of_elsewhere(Elsewhere::process(Some(pid)))
    }

    /// A process of which not even the id is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::of_elsewhere(Elsewhere::process(None))
    }

    /// The same process, which runs on a host that is another one.
    #[must_use]
    pub fn with_host(self, host: impl Into<String>) -> Self {
        self.with(|process| process.host = Some(host.into()))
    }

    /// The same process, which was started as this.
    #[must_use]
    pub fn with_command(self, command: impl Into<String>) -> Self {
        self.with(|process| process.command = Some(command.into()))
    }

    /// The same process, which has taken the lock at this place of its code.
    #[must_use]
    pub fn with_place(self, place: impl Into<String>) -> Self {
        self.with(|process| process.place = Some(place.into()))
    }

    /// The same process, which has had the lock since then, by the clock of its host.
    #[must_use]
    pub fn with_since(self, since: SystemTime) -> Self {
        self.with(|process| process.since = Some(since))
    }

    /// Of a holder in this process there is nothing to add.
    fn with(mut self, add: impl FnOnce(&mut Elsewhere)) -> Self {
        if let Who::Elsewhere(process) = &mut self.0 {
            add(process);
        }
        self
    }

    pub(crate) fn of_elsewhere(elsewhere: Elsewhere) -> Self {
        Self(Who::Elsewhere(Box::new(elsewhere)))
    }

    fn elsewhere(&self) -> Option<&Elsewhere> {
        match &self.0 {
            Who::Elsewhere(elsewhere) => Some(elsewhere),
            _ => None,
        }
    }
}

impl Elsewhere {
    /// One of which no more is known.
    pub(crate) const fn process(pid: Option<u32>) -> Self {
        Self {
            pid,
            command: None,
            place: None,
            host: None,
            pid_namespace: None,
            since: None,
        }
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
            Who::Elsewhere(elsewhere) => fmt::Display::fmt(elsewhere, f),
        }
    }
}

// Others can write what is in it, so no text of it is to pretend to be more.
impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{} in ", place.escape_debug())?;
        }
        match self.pid {
            Some(pid) => write!(f, "process {pid}")?,
            None => write!(f, "some process")?,
        }
        if let Some(command) = &self.command {
            write!(f, " ({})", command.escape_debug())?;
        }
        match (&self.host, self.pid_namespace) {
            (Some(host), _) => write!(f, " on {}", host.escape_debug())?,
            (None, Some(number)) => write!(f, " of another PID namespace ({number})")?,
            (None, None) => {}
        }
        match self.since.map(|since| since.elapsed()) {
            Some(Ok(held)) => write!(f, ", for {held:.1?}"),
            // The clock was set back.
            Some(Err(_)) | None => Ok(()),
        }
    }
}

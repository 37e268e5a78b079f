//! Who has a lock: in this process, or elsewhere.

use crate::lasted::{Lasted, Seconds};
use crate::named;
use crate::owner::{Epoch, Numbered, Owner};
use crate::process::last_child;
use crate::site::{Record, Site};
use std::fmt;
use std::process;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Who has a lock, or waits for it: a site, and the thread or task it runs in, or the process.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41) in thread "worker-3"`, of a task that
/// has [a name](crate::named()) `connect (src/cells.rs:41) in task "req-81"`, and of
/// another process `connect (src/cells.rs:41) in process 4711 (nova-compute), for 3.2s`. The
/// alternate form, `{:#}`, has the system's id of a thread as well: `in thread "worker-3" (4720)`.
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
pub struct Holder {
    who: Who,
    shown: Shown,
}

/// What is known of a holder or a waiter beside who it is, at the moment of the look.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    /// What its task is called.
    pub(crate) label: Option<Arc<str>>,
    /// For how long it has had the lock at least.
    pub(crate) held: Option<Duration>,
    /// How long ago it was handed the lock, or called to take it, if it hasn't come.
    pub(crate) not_polled: Option<Duration>,
}

#[derive(Clone)]
enum Who {
    Task(Site),
    Thread(Site, Numbered),
    /// Its guard was forgotten; or it ended later, and so many have since that it isn't kept.
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
        match &self.who {
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

    /// For how long it has had the lock at least, when it was looked at. `None` if that isn't known,
    /// and of who waits.
    ///
    /// A lock that nobody else asks for is taken without a look at the clock. So of a holder in
    /// this process it is the time since somebody first waited for it, or [looked](crate::snapshot()).
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::{Locks, snapshot};
    ///
    /// static CELLS: Locks = Locks::new("cells");
    ///
    /// let _guard = CELLS.key("2f1c").lock();
    /// let held_for = || snapshot().iter().find(|lock| lock.space == "cells")?.holders[0].held_for();
    /// assert_eq!(held_for(), None);
    /// assert!(held_for().is_some()); // since the first look
    /// ```
    #[must_use]
    pub fn held_for(&self) -> Option<Duration> {
        match &self.who {
            Who::Elsewhere(elsewhere) => elsewhere.since?.elapsed().ok(),
            _ => self.shown.held,
        }
    }

    /// The system's id of the thread, for `gdb -p`, `perf -t` and `/proc/PID/task`; `None` of a
    /// task, of a thread that has ended, and on systems other than Linux.
    #[must_use]
    pub fn os_thread(&self) -> Option<u32> {
        match &self.who {
            Who::Thread(_, thread) => thread.id(),
            _ => None,
        }
    }

    /// What the thread is called, if it has a name.
    #[cfg(feature = "inspect")]
    pub(crate) fn thread_name(&self) -> Option<&str> {
        match &self.who {
            Who::Thread(_, thread) => thread.thread.name(),
            _ => None,
        }
    }

    /// What the task is called, if it has a name, see [`named`](crate::named()). A thread that
    /// waits inside of such a task has its name too.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.shown.label.as_deref()
    }

    /// How long ago it was handed the lock, or called to take it, if it hasn't come since: a future
    /// that nobody polls, or a thread that the system hasn't run. `None` of all others.
    ///
    /// For a few microseconds that is so of every waiter. For longer it is of a future that is kept
    /// beside another one which is awaited: as long as it is, nobody has the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::{Locks, snapshot};
    /// use std::pin::pin;
    /// use std::task::{Context, Waker};
    ///
    /// static VMS: Locks = Locks::new("vms");
    ///
    /// let guard = VMS.key(31).lock();
    /// let mut attach = pin!(VMS.key(31).lock_async());
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(attach.as_mut().poll(&mut context).is_pending());
    /// std::thread::sleep(std::time::Duration::from_millis(2));
    /// drop(guard); // from here on it is the turn of `attach`
    ///
    /// let locks = snapshot();
    /// let lock = locks.iter().find(|lock| lock.space == "vms").unwrap();
    /// assert!(lock.holders[0].not_polled_for().is_some());
    /// ```
    #[must_use]
    pub const fn not_polled_for(&self) -> Option<Duration> {
        self.shown.not_polled
    }

    /// How it has its lock, as all texts say it.
    pub(crate) const fn has(&self) -> Has<'_> {
        self.has_times(1)
    }

    /// The same of a thread that has gone in again: how often it has the lock.
    pub(crate) const fn has_times(&self, times: usize) -> Has<'_> {
        Has(self, times)
    }

    /// Whether both are one thread, which has gone in again, or has several permits.
    #[cfg(feature = "inspect")]
    pub(crate) fn is_same_thread(&self, other: &Self) -> bool {
        match (&self.who, &other.who) {
            (Who::Thread(_, one), Who::Thread(_, other)) => one.thread.id() == other.thread.id(),
            _ => false,
        }
    }

    /// Who it is, without where in the code.
    pub(crate) const fn whereabouts(&self) -> Whereabouts<'_> {
        Whereabouts(self)
    }

    /// Whether it is a task.
    pub(crate) const fn is_task(&self) -> bool {
        matches!(self.who, Who::Task(_))
    }

    /// The place where it keeps a thread of this process from everything else, if it waits so.
    pub(crate) const fn blocks(&self) -> Option<Site> {
        match &self.who {
            Who::Thread(site, _) => Some(*site),
            _ => None,
        }
    }

    /// What there is to know about who has a lock, and waits for none, and to do.
    pub(crate) fn advice(&self) -> Option<String> {
        let (pid, id) = (process::id(), self.os_thread());
        Some(match (&self.who, self.not_polled_for()) {
            (Who::Thread(..), Some(_)) => {
                "It goes on as soon as the system runs it: see whether the processor is busy."
                    .into()
            }
            (_, Some(_)) => {
                "A `select!` or `join!` that holds this future and awaits something else \
                 keeps the lock from everybody. So does a runtime that has no thread for it."
                    .into()
            }
            (Who::Thread(..), None) => match id {
                Some(id) => format!(
                    "It waits for no lock itself. See what it does: gdb -p {pid} -ex 'thread find {id}'"
                ),
                None => "It waits for no lock itself.".into(),
            },
            (Who::Task(_), None) => {
                "It waits for no lock itself: it runs, awaits something else, has no thread \
                 to run on, or has ended and left its guard somewhere."
                    .into()
            }
            (Who::EndedThread(_), None) => {
                "The thread has ended, and its guard was forgotten: nobody can release the lock."
                    .into()
            }
            (Who::Unknown(_), None) => "Whoever has its guard by now isn't known.".into(),
            (Who::Elsewhere(process), None) => {
                let Some(pid) = process.pid else {
                    let heirs = "What has started it has ended: the lock is held until all that it runs has.";
                    return process.is_for_another().then(|| heirs.to_owned());
                };
                match (&process.host, process.pid_namespace) {
                    // It may do nothing but to wait for the end of what it runs.
                    (Some(host), _) if process.is_for_another() => {
                        format!(
                            "See what that process runs and does, on {}: pgrep -lP {pid}; lockutils why {pid}",
                            host.escape_debug()
                        )
                    }
                    (Some(host), _) => {
                        let host = host.escape_debug();
                        format!("See what that process does, on {host}: lockutils why {pid}")
                    }
                    (None, Some(_)) => return None,
                    (None, None) if process.is_for_another() => self.advice_on_another(pid),
                    (None, None) => format!("See what that process does: gdb -p {pid}"),
                }
            }
        })
    }

    /// The same of a process that does nothing but to wait for the end of another one, which may be a
    /// script and so wait itself.
    fn advice_on_another(&self, pid: u32) -> String {
        match self.runs() {
            Some(child) => format!(
                "It has it for what it runs. See what that does: \
                 ps -o pid,stat,etime,wchan:20,args -p {child} --ppid {child}"
            ),
            None => format!("It has it for what it runs. See which that is: pgrep -lP {pid}"),
        }
    }

    /// The process that another one has the lock for and runs, if that is so and it can be seen.
    pub(crate) fn runs(&self) -> Option<u32> {
        let process = self.elsewhere()?;
        let is_here = process.host.is_none() && process.pid_namespace.is_none();
        let pid = process.pid.filter(|_| is_here && process.is_for_another());
        last_child(pid?)
    }

    /// The same one, of whom more is known.
    pub(crate) fn shown(mut self, shown: Shown) -> Self {
        let label = self.shown.label.take();
        self.shown = shown;
        self.shown.label = self.shown.label.or(label);
        self
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
        if let Who::Elsewhere(process) = &mut self.who {
            add(process);
        }
        self
    }

    pub(crate) fn of_elsewhere(elsewhere: Elsewhere) -> Self {
        let (who, shown) = (Who::Elsewhere(Box::new(elsewhere)), Shown::default());
        Self { who, shown }
    }

    fn elsewhere(&self) -> Option<&Elsewhere> {
        match &self.who {
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

    /// Whether it has the lock for another program, which it runs: who takes one for itself says where.
    const fn is_for_another(&self) -> bool {
        self.since.is_some() && self.place.is_none()
    }
}

/// A holder in this process as it was at a moment, who is looked up when somebody asks: that takes
/// longer than a refusal.
#[derive(Clone)]
pub(crate) struct Sought {
    record: Record,
    epoch: Epoch,
    shown: Shown,
}

impl Sought {
    /// Now. A task's name is looked up at once, since its waker may be another one's later.
    #[inline]
    pub(crate) fn new(record: Record, mut shown: Shown) -> Self {
        let owner = record.owner;
        if owner.is_task() && shown.label.is_none() {
            shown.label = named::label_of(owner);
        }
        Self {
            record,
            epoch: Epoch::now(),
            shown,
        }
    }

    /// Where the lock was taken.
    pub(crate) const fn site(&self) -> Site {
        self.record.site
    }

    /// Looks up who it is.
    pub(crate) fn find(self) -> Holder {
        let Record { owner, site } = self.record;
        let who = if owner.is_task() {
            Who::Task(site)
        } else if owner == Owner::UNKNOWN {
            Who::Unknown(site)
        } else {
            match owner.find_thread_of(self.epoch) {
                Some(thread) => Who::Thread(site, thread),
                None => Who::EndedThread(site),
            }
        };
        let shown = self.shown;
        Holder { who, shown }
    }
}

impl From<Record> for Holder {
    /// Looks up the name of the thread or task, so not for the path that takes a lock.
    fn from(record: Record) -> Self {
        Sought::new(record, Shown::default()).find()
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holder({self})")
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(site) = self.site() {
            write!(f, "{site} ")?;
        }
        fmt::Display::fmt(&self.whereabouts(), f)
    }
}

/// Who a holder is, without where in the code: `in thread "worker-3"`.
pub(crate) struct Whereabouts<'a>(&'a Holder);

impl fmt::Display for Whereabouts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(holder) = self;
        let label = holder.label().map(str::escape_debug);
        match (&holder.who, label) {
            (Who::Task(_), None) => write!(f, "in an async task"),
            (Who::Task(_), Some(label)) => write!(f, "in task \"{label}\""),
            (Who::Unknown(_), _) => {
                write!(f, "in a guard that was sent on, or a thread that ends")
            }
            (Who::EndedThread(_), _) => write!(f, "in a thread that has ended"),
            (Who::Thread(_, numbered), label) => {
                match numbered.thread.name() {
                    Some(name) => write!(f, "in thread \"{name}\"")?,
                    None => write!(f, "in an unnamed thread, {:?}", numbered.thread.id())?,
                }
                if let Some(id) = numbered.id().filter(|_| f.alternate()) {
                    write!(f, " ({id})")?;
                }
                label.map_or(Ok(()), |label| write!(f, ", task \"{label}\""))
            }
            (Who::Elsewhere(elsewhere), _) => fmt::Display::fmt(elsewhere, f),
        }
    }
}

/// How a holder has its lock: `held by` whom, how often if that is more than once, or that it was handed
/// over and nobody has come for it.
pub(crate) struct Has<'a>(&'a Holder, usize);

impl fmt::Display for Has<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(holder, times) = self;
        let Some(time) = holder.not_polled_for().map(Seconds) else {
            match times {
                0 | 1 => f.write_str("held by ")?,
                _ => write!(f, "held {times} times by ")?,
            }
            return fmt::Display::fmt(holder, f);
        };
        f.write_str("handed to ")?;
        fmt::Display::fmt(holder, f)?;
        match holder.who {
            Who::Thread(..) => write!(f, " {time} ago, which has not run since"),
            _ => write!(f, " {time} ago, whose future has not been polled since"),
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
            Some(Ok(held)) => write!(f, ", for {}", Lasted(held)),
            // The clock was set back.
            Some(Err(_)) | None => Ok(()),
        }
    }
}

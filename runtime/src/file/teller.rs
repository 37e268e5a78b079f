//! Who has written a line into a lock file.
//!
//! It is a thread, since that lives no longer than what it has written is true: a line of a process
//! that was killed, or runs another program since, is as good as none. So is one of another host or
//! PID namespace, where nobody can look whether the thread lives.

use super::record;
use super::sealed::{field, number};
use std::fmt;
use std::fs;

/// A thread that tells other processes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Teller {
    pub(super) pid: u32,
    pub(super) thread: u32,
    /// When the thread started, in ticks.
    pub(super) start: u64,
    /// The number of its PID namespace.
    pub(super) namespace: u64,
    /// A checksum of the host's name.
    pub(super) host: u32,
}

/// What is at a place for a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written {
    Nothing,
    By(Teller),
    /// Something else, which stays.
    Other,
}

impl Teller {
    /// The calling thread; `None` where the system doesn't say which that is.
    pub(super) fn new() -> Option<Self> {
        let name = fs::read_link("/proc/thread-self").ok()?;
        let (pid, thread) = name.to_str()?.split_once("/task/")?;
        let (pid, thread) = (number(pid)?, number(thread)?);
        Some(Self {
            pid,
            thread,
            start: record::started(&task(pid, thread))?,
            namespace: record::namespace()?,
            host: record::host(),
        })
    }

    /// Reads it where it was written by [`Display`](fmt::Display), among other words.
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(Self {
            pid: number(field(text, "pid")?)?,
            thread: number(field(text, "thread")?)?,
            start: number(field(text, "start")?)?,
            namespace: number(field(text, "ns")?)?,
            host: u32::from_str_radix(field(text, "host")?, 16).ok()?,
        })
    }

    /// Whether both are of one process, now or before.
    pub(super) fn is_of_process(&self, pid: u32, namespace: u64) -> bool {
        self.pid == pid && self.is_near(namespace)
    }

    /// Whether it is of this host and namespace, so that its ids mean something here.
    pub(super) fn is_near(&self, namespace: u64) -> bool {
        self.namespace == namespace && self.host == record::host()
    }

    pub(super) fn is_alive(&self) -> bool {
        record::started(&task(self.pid, self.thread)) == Some(self.start)
    }

    /// A place for a line of it: one that is blank, or whose writer is gone. Where there is none,
    /// one of which nobody can tell.
    pub(super) fn free_place(&self, places: &[Written]) -> Option<usize> {
        // Those who look at one time rarely take the same.
        let (count, from) = (places.len(), self.thread as usize);
        let indices = || (0..count).map(|index| (from + index) % count);
        let is_near = |by: Self| by.is_near(self.namespace);
        let is_gone = |place: &usize| match places[*place] {
            Written::Nothing => true,
            Written::By(by) => is_near(by) && !by.is_alive(),
            Written::Other => false,
        };
        let is_unknown = |place: &usize| matches!(places[*place], Written::By(by) if !is_near(by));
        indices()
            .find(is_gone)
            .or_else(|| indices().find(is_unknown))
    }
}

impl Written {
    /// What is there, of which a line is read by `read`.
    pub(super) fn at(place: &[u8], read: impl FnOnce(&[u8]) -> Option<Teller>) -> Self {
        let is_blank = place.iter().all(|byte| b"\0 \n".contains(byte));
        match read(place) {
            Some(by) => Self::By(by),
            None if is_blank => Self::Nothing,
            None => Self::Other,
        }
    }
}

impl fmt::Display for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pid,
            thread,
            start,
            namespace,
            host,
        } = self;
        write!(
            f,
            "pid={pid} thread={thread} start={start} ns={namespace} host={host:08x}"
        )
    }
}

/// A thread's place in `/proc`.
fn task(pid: u32, thread: u32) -> String {
    format!("{pid}/task/{thread}")
}

//! Telling other processes how many of this one wait for a lock file.
//!
//! A thread writes it into the file, see [`count`](super::count). Who begins or ends a wait only
//! says that the number has changed, which is one atomic write for most; the thread collects that
//! for [`COLLECT`], counts, and writes what is new. So a thousand waiters, or waits that are over
//! at once, cost twenty writes a second at most. It looks again now and then whether the file
//! still says so, since another process may have taken the same place in it. With nobody left to
//! tell of it ends, after a while.
//!
//! The same thread looks for deadlocks with other processes, for as long as somebody waits.
//!
//! The numbers are for people who look: where it can't be written, or no thread be had, others see what the
//! kernel shows. So do those who look within that time.

use super::teller::Teller;
use crate::ordered::OrderedMap;
use crate::process::OfProcess;
use crate::worker;
use parking_lot::Mutex;
use std::fmt;
use std::mem;
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long changes are collected.
const COLLECT: Duration = Duration::from_millis(50);

/// How long it takes at most until the thread looks whether a file still says what it should.
const LOOK: Duration = Duration::from_secs(5);

/// How long the thread stays with nothing to do.
const LINGER: Duration = Duration::from_secs(1);

/// The stack of a thread that reads and writes some kilobytes.
const STACK: usize = 128 * 1024;

static NEWS: OfProcess<Mutex<News>> = OfProcess::new();

#[derive(Default)]
struct News {
    /// The files for which another number may wait. They are closed as if they weren't here.
    changed: Vec<Weak<dyn Told>>,
    thread: Option<Thread>,
}

/// A lock file, as far as this is concerned.
pub(super) trait Told: fmt::Debug + Send + Sync {
    /// Notes that another number may wait than was written down. False where that is noted.
    fn note_change(&self) -> bool;

    /// Lets the next change be noted.
    fn forget_change(&self);

    /// Writes down how many of this process wait, and tells whether any do.
    fn tell(&self, by: Teller) -> bool;

    /// A wait of this process has ended.
    fn end_wait(&self);

    /// Looks for deadlocks with other processes, of whatever files this one uses, and gives when
    /// to look again.
    fn look(&self, by: Teller) -> Duration;
}

/// A thread or task that waits for a lock file.
#[derive(Debug)]
pub(super) struct Waiter(Arc<dyn Told>);

impl Waiter {
    pub(super) fn new(file: Arc<dyn Told>) -> Self {
        changed(&file);
        Self(file)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.end_wait();
        changed(&self.0);
    }
}

/// Another number of this process may wait for a file, in the kernel or in all.
pub(super) fn changed(file: &Arc<dyn Told>) {
    // Elsewhere nobody could tell whether the thread still lives.
    if cfg!(target_os = "linux") && file.note_change() {
        NEWS.get().lock().add(file);
    }
}

impl News {
    fn add(&mut self, file: &Arc<dyn Told>) {
        if self.thread.is_none() {
            self.changed.clear();
            let thread = worker::start("lockutils-tell", Some(STACK), Box::new(run));
            self.thread = thread.ok().map(|thread| thread.thread().clone());
        }
        match &self.thread {
            Some(thread) => {
                if self.changed.is_empty() {
                    thread.unpark();
                }
                self.changed.push(Arc::downgrade(file));
            }
            // The next one tries again.
            None => file.forget_change(),
        }
    }
}

fn run() {
    let Some(teller) = Teller::new() else {
        // There is no `/proc`.
        let mut news = NEWS.get().lock();
        news.changed.clear();
        news.thread = None;
        return;
    };
    // By address.
    let mut told: OrderedMap<u64, Weak<dyn Told>> = OrderedMap::new();
    let (mut pause, mut due) = (COLLECT, Instant::now());
    loop {
        thread::sleep(COLLECT);
        let changed = mem::take(&mut NEWS.get().lock().changed);
        let now = Instant::now();
        if !changed.is_empty() || now >= due {
            pause = if changed.is_empty() {
                LOOK.min(2 * pause)
            } else {
                COLLECT
            };
            due = now + pause;
            for file in changed {
                told.insert(file.as_ptr().addr() as u64, file);
            }
            told.retain(|_, file| file.upgrade().is_some_and(|file| file.tell(teller)));
        }
        let any = told.values().find_map(Weak::upgrade);
        let next = any.map(|file| file.look(teller).min(due.saturating_duration_since(now)));
        thread::park_timeout(next.unwrap_or(LINGER));
        let mut news = NEWS.get().lock();
        if told.is_empty() && news.changed.is_empty() {
            news.thread = None;
            return;
        }
    }
}

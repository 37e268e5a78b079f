//! One lock file, and what this process has of its lock.
//!
//! Those who come here have the file's in-process lock: one of them exclusively, or
//! several shared. The kernel knows nothing of them but one lock of one descriptor:
//!
//! | state | the kernel's lock | next |
//! |---|---|---|
//! | `Free` | not ours | taken: `Held` |
//! | `Held` | ours, for so many holders | another that shares it: one more; the last is gone: `Free`, or `Kept` |
//! | `Kept` | ours, for the next in line in this process | taken: `Held`; nobody there: `Free` |
//!
//! Going from one to the next inside the process without asking the kernel is many times
//! faster, and would leave other processes waiting. So it is done for a while at most, see
//! [`turn`](super::turn).
//!
//! A lock on a file that is no longer at its path excludes nobody who opens the path later.
//! So who gets the kernel's lock looks whether it is, and starts again where it isn't. One
//! who is about to remove the file has its lock, and so nobody is surprised by it.

use super::Directory;
use super::descriptor::{Descriptor, Failure};
use super::path::Rule;
use super::sys::Moment;
use super::table;
use super::turn::Turn;
use super::wait::{Claim, Wait};
use crate::key::Key;
use crate::local::Mode;
use crate::site::{Holder, Site};
use parking_lot::Mutex;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// For how long after a file was at its path it is only asked whether it still has a name,
/// which is much faster. Who moves a lock file elsewhere, and doesn't remove it, may within
/// that time have somebody beside the process that locks it over and over.
const GLANCE: Duration = Duration::from_micros(100);

/// How long a record says when the lock was taken, where the same place in the code takes it
/// again and again.
const FRESH: Duration = Duration::from_millis(10);

/// How often a file may be replaced while one tries to lock it.
const ATTEMPTS: usize = 100;

/// A lock file.
#[derive(Debug)]
pub(super) struct LockFile {
    pub(super) directory: &'static Directory,
    pub(super) name: Key,
    pub(super) path: PathBuf,
    /// How many in this process hold or await its lock; it belongs to the table.
    pub(super) users: AtomicUsize,
    kernel: Mutex<Kernel>,
}

#[derive(Debug)]
struct Kernel {
    state: State,
    descriptor: Option<Arc<Descriptor>>,
    /// What was found when the lock was taken through this descriptor.
    seen: Option<Seen>,
    turn: Turn,
    waits: Vec<Arc<Wait>>,
}

/// What is known of the file since somebody has looked.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When it was at its path.
    at_path: Instant,
    /// When the record was written, and where in the code it says the lock was taken.
    written: Instant,
    site: Site,
    /// The same moment in the file system's clock, and whether nobody else can have written
    /// in it.
    modified: Option<(Moment, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Held(Mode, usize),
    Kept,
}

/// How a lock is to be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) rule: Rule,
    pub(super) mode: Mode,
    pub(super) site: Site,
    /// Whether others' turn is waited for.
    pub(super) gives_way: bool,
}

/// What a try has come to.
#[derive(Debug)]
pub(super) enum Tried {
    Taken,
    Busy,
    /// It is others' turn until then.
    Paused(Instant),
}

/// What is left of a file that nobody uses.
pub(super) struct Rest {
    pub(super) is_open: bool,
    pub(super) is_awaited: bool,
}

impl LockFile {
    pub(super) fn new(directory: &'static Directory, name: Key) -> Self {
        Self {
            path: directory.path.join(name.as_str()),
            directory,
            name,
            users: AtomicUsize::new(0),
            kernel: Mutex::new(Kernel {
                state: State::Free,
                descriptor: None,
                seen: None,
                turn: Turn::default(),
                waits: Vec::new(),
            }),
        }
    }

    pub(super) fn is(&self, directory: &'static Directory, name: &Key) -> bool {
        std::ptr::eq(self.directory, directory) && self.name == *name
    }

    /// Takes the kernel's lock, or a share in it, if that needs no waiting.
    pub(super) fn try_take(&self, manner: Manner) -> Result<Tried, Failure> {
        let tried = self.kernel.lock().try_take(self, manner);
        match tried {
            Err(failure) if failure.is_for_descriptors() => {
                // Those that are kept open for speed are the first to do without.
                table::close_unused();
                self.kernel.lock().try_take(self, manner)
            }
            tried => tried,
        }
    }

    /// Blocks the thread until the kernel's lock may be free.
    pub(super) fn block(&self, mode: Mode) -> Result<(), Failure> {
        let descriptor = self.kernel.lock().descriptor.clone();
        match descriptor {
            // What it takes is ours only when a try has said so, see `try_take`.
            Some(descriptor) => {
                descriptor.touch();
                descriptor.lock(mode)
            }
            None => Ok(()),
        }
    }

    /// Has a thread wait for the kernel's lock; `None` if there are too many.
    pub(super) fn wait(self: &Arc<Self>, mode: Mode) -> Result<Option<Claim>, Failure> {
        let mut kernel = self.kernel.lock();
        let Kernel {
            descriptor, waits, ..
        } = &mut *kernel;
        let current = descriptor.as_ref().map(|current| current.identity);
        waits.retain(|wait| wait.mode != mode || Some(wait.descriptor.identity) == current);
        let mut left = waits.iter().filter(|wait| wait.mode == mode);
        if let Some(claim) = left.find_map(|wait| wait.claim(self)) {
            return Ok(Some(claim));
        }
        let descriptor = Descriptor::open(&self.path)?;
        descriptor.touch();
        let claim = Wait::start(self, mode, descriptor);
        waits.retain(|wait| wait.mode != mode);
        waits.extend(claim.iter().map(|claim| Arc::clone(&claim.wait)));
        Ok(claim)
    }

    /// Has a wait's descriptor be ours, with the lock that it has.
    pub(super) fn take_over(&self, wait: &Arc<Wait>) {
        let mut kernel = self.kernel.lock();
        if kernel.state == State::Free {
            kernel.descriptor = Some(Arc::clone(&wait.descriptor));
            kernel.seen = None;
        }
    }

    /// Forgets a wait that is over. What it has of the lock ends with its descriptor, unless
    /// that was taken over.
    pub(super) fn end_wait(self: &Arc<Self>, wait: &Arc<Wait>) {
        let mut kernel = self.kernel.lock();
        kernel.waits.retain(|other| !Arc::ptr_eq(other, wait));
        let is_ours = |ours: &Arc<Descriptor>| Arc::ptr_eq(ours, &wait.descriptor);
        if !kernel.descriptor.as_ref().is_some_and(is_ours) {
            let _ = wait.descriptor.unlock();
        }
        drop(kernel);
        table::tidy(self);
    }

    /// Ends a hold.
    pub(super) fn release(&self, rule: Rule) {
        let mut kernel = self.kernel.lock();
        match &mut kernel.state {
            State::Held(_, holders) if *holders > 1 => *holders -= 1,
            State::Held(mode, _) => {
                let mode = *mode;
                let others = self.users.load(Ordering::Relaxed) > 1;
                if rule == Rule::Oslo {
                    kernel.turn.end_hold(Instant::now());
                }
                kernel.release(others && rule == Rule::Own && mode == Mode::Exclusive);
            }
            State::Free | State::Kept => unreachable!("who releases holds"),
        }
    }

    /// Ends what was kept for those who have all gone.
    pub(super) fn put_away(&self) -> Rest {
        let mut kernel = self.kernel.lock();
        if kernel.state == State::Kept {
            kernel.release(false);
        }
        Rest {
            is_open: kernel.descriptor.is_some(),
            is_awaited: !kernel.waits.is_empty(),
        }
    }

    /// Removes the file, whose lock the caller holds exclusively.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        let mut kernel = self.kernel.lock();
        fs::remove_file(&self.path).map_err(Failure::of("remove lock file"))?;
        // Those who wait for it find out as soon as they get it. Nobody is handed it.
        kernel.descriptor = None;
        Ok(())
    }

    /// Whether this process has the kernel's lock.
    pub(super) fn is_held(&self) -> bool {
        self.kernel.lock().state != State::Free
    }

    /// Who else has the kernel's lock, as far as that is known.
    pub(super) fn holder(&self, rule: Rule) -> Option<Holder> {
        let descriptor = self.kernel.lock().descriptor.clone();
        descriptor?.holder(rule)
    }
}

impl Kernel {
    fn try_take(&mut self, file: &LockFile, manner: Manner) -> Result<Tried, Failure> {
        let Manner {
            rule,
            mode,
            site,
            gives_way,
        } = manner;
        match &mut self.state {
            State::Held(_, holders) => {
                *holders += 1;
                return Ok(Tried::Taken);
            }
            State::Kept if mode == Mode::Exclusive => {
                self.state = State::Held(mode, 1);
                if self.seen.is_none_or(|seen| seen.site != site) {
                    self.record_next(site);
                }
                return Ok(Tried::Taken);
            }
            // A shared lock on the same descriptor takes the place of an exclusive one.
            State::Kept => self.state = State::Free,
            State::Free => {
                if gives_way {
                    if let Some(until) = self.turn.pause() {
                        return Ok(Tried::Paused(until));
                    }
                }
            }
        }
        for _ in 0..ATTEMPTS {
            // It comes back if nothing is wrong with it.
            let descriptor = if let Some(descriptor) = self.descriptor.take() {
                descriptor
            } else {
                self.seen = None;
                Arc::new(Descriptor::open(&file.path)?)
            };
            let mut taken = descriptor.try_lock(mode)?;
            if !taken && !self.waits.is_empty() {
                // A thread that waits for nobody may have got it this moment.
                self.waits.iter().for_each(|wait| wait.give_back());
                taken = descriptor.try_lock(mode)?;
            }
            match self.check(
                &descriptor,
                &file.path,
                (taken && rule == Rule::Own).then_some(site),
            ) {
                Ok(true) if taken => {
                    self.descriptor = Some(descriptor);
                    self.state = State::Held(mode, 1);
                    if rule == Rule::Oslo {
                        self.turn.begin_hold(Instant::now());
                    }
                    return Ok(Tried::Taken);
                }
                Ok(true) => {
                    self.descriptor = Some(descriptor);
                    return Ok(Tried::Busy);
                }
                Ok(false) => descriptor.unlock()?,
                Err(failure) => {
                    // It may be kept by somebody who waits with it.
                    let _ = descriptor.unlock();
                    return Err(failure);
                }
            }
        }
        let error = io::Error::other("it is replaced again and again");
        Err(Failure::of("lock file")(error))
    }

    /// Whether the file is still at its path; then writes down who has taken the lock, if
    /// somebody has, and where.
    fn check(
        &mut self,
        descriptor: &Descriptor,
        path: &Path,
        taken: Option<Site>,
    ) -> Result<bool, Failure> {
        let Some(site) = taken else {
            return descriptor.is_at(path);
        };
        let now = Instant::now();
        let is_young = |moment, age| now.duration_since(moment) < age;
        if let Some(seen) = &mut self.seen {
            let (has_name, modified) = descriptor.glance()?;
            if seen.modified.is_some_and(|(ours, _)| ours != modified) {
                self.turn.others_are_about(now);
            }
            let is_ours = seen.modified == Some((modified, true));
            if has_name && is_ours && seen.site == site && is_young(seen.written, FRESH) {
                if is_young(seen.at_path, GLANCE) {
                    return Ok(true);
                }
                seen.at_path = now;
                return descriptor.is_at(path);
            }
        }
        let is_there = descriptor.is_at(path)?;
        if is_there {
            self.seen = Some(Seen {
                at_path: now,
                written: now,
                site,
                modified: descriptor.record(site),
            });
        }
        Ok(is_there)
    }

    /// Writes down who is next in this process.
    fn record_next(&mut self, site: Site) {
        let descriptor = self.descriptor.as_ref();
        let modified = descriptor.and_then(|descriptor| descriptor.record(site));
        if let Some(seen) = &mut self.seen {
            seen.site = site;
            seen.modified = modified;
        }
    }

    /// Ends the last hold. The lock goes to somebody else in the process, if there is one.
    fn release(&mut self, others: bool) {
        if !others {
            self.turn.end();
        } else if self.descriptor.is_some() && self.turn.may_be_kept() {
            self.state = State::Kept;
            return;
        }
        self.state = State::Free;
        if let Some(descriptor) = &self.descriptor {
            if descriptor.unlock().is_err() {
                // Closed, it is as good as unlocked.
                self.descriptor = None;
            }
        }
    }
}

//! One lock file, and what this process has of its lock.
//!
//! It is known by its identity, and so is one whatever [`Link`] led to it. Those who come here
//! have its in-process lock: one of them exclusively, or several shared. The kernel knows
//! nothing of them but one lock of one descriptor:
//!
//! | state | the kernel's lock | next |
//! |---|---|---|
//! | `Free` | not ours | taken: `Held` |
//! | `Held` | ours, for so many holders | another that shares it: one more; the last is gone: `Free`, or `Kept` |
//! | `Kept` | ours, for the next in line in this process | taken: `Held`; nobody there: `Free` |
//!
//! Going from one to the next inside the process without asking the kernel is many times
//! faster, and would leave other processes waiting. So it is done for a while at most, see
//! [`pace`](super::pace).
//!
//! A lock on a file that is no longer at its path excludes nobody who opens the path later.
//! So a caller that gets the lock looks whether the file is still there, and else starts again with
//! the file that is. A caller that removes the file holds its lock, so no holder loses its
//! file.

use super::behind::Behind;
use super::count::Count;
use super::descriptor::{Descriptor, Failure};
use super::directory::Directory;
use super::link::{Link, Usage, add_one, take_one};
use super::pace::Pace;
use super::path::Rule;
use super::seen::{Led, Seen, is_brief};
use super::sleep::Sleeper;
use super::step::{Manner, Sleep, Tried};
use super::sys::{Files as _, Identity, Os};
use super::tell::{self, Told};
use super::teller::Teller;
use crate::key::Key;
use crate::outside::Line;
use crate::site::Site;
use crate::table::policy::{Mode, Reentry};
use parking_lot::Mutex;
use std::fs::{self, File};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// A lock file.
#[derive(Debug)]
pub(super) struct LockFile {
    pub(super) identity: Identity,
    /// Those of this process who want it, by the name by which it was first opened.
    pub(super) line: Line,
    pub(super) usage: Usage,
    /// How many threads wait in the kernel.
    in_kernel: AtomicUsize,
    /// Whether another number may wait than was written down, and whether any was.
    pub(super) has_changed: AtomicBool,
    is_told: AtomicBool,
    /// Whether holders of other files may be known to wait for it.
    pub(super) has_behind: AtomicBool,
    kernel: Mutex<Kernel>,
}

#[derive(Debug)]
struct Kernel {
    state: State,
    descriptor: Option<Arc<Descriptor>>,
    /// What was found when the lock was taken through this descriptor.
    led: Option<Led>,
    seen: Option<Seen>,
    /// When it was last taken by somebody for whom it had been kept.
    kept_at: Option<Instant>,
    /// Whether it says in the file what a holder waits for.
    says: bool,
    pace: Pace,
    sleepers: Vec<Arc<Sleeper>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Held(Mode, usize),
    Kept,
}

/// What is left of a file that nobody uses.
pub(super) struct Rest {
    pub(super) is_open: bool,
    pub(super) is_awaited: bool,
}

impl LockFile {
    /// One that was just opened, by a name in a directory.
    pub(super) fn new(directory: &Directory, name: Key, descriptor: Descriptor) -> Self {
        Self {
            identity: descriptor.identity,
            line: Line::new(directory.name, directory.turns, name).called_by_name(),
            usage: Usage::default(),
            in_kernel: AtomicUsize::new(0),
            has_changed: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
            has_behind: AtomicBool::new(false),
            kernel: Mutex::new(Kernel {
                state: State::Free,
                descriptor: Some(Arc::new(descriptor)),
                led: None,
                seen: None,
                kept_at: None,
                says: false,
                pace: Pace::default(),
                sleepers: Vec::new(),
            }),
        }
    }

    /// Takes the kernel's lock, or a share in it, if that needs no waiting.
    pub(super) fn try_take(&self, link: &Arc<Link>, manner: Manner) -> Result<Tried, Failure> {
        let mut kernel = self.kernel.lock();
        let tried = kernel.try_take(self, link, manner)?;
        if matches!(tried, Tried::Taken { .. }) {
            add_one(&link.holders);
        }
        Ok(tried)
    }

    /// Whether it is the file at the path.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, Failure> {
        let descriptor = self.kernel.lock().descriptor.clone();
        descriptor.map_or(Ok(false), |descriptor| descriptor.is_at(path))
    }

    /// Blocks the thread until the kernel's lock may be free.
    pub(super) fn block(self: &Arc<Self>, mode: Mode) -> Result<(), Failure> {
        let descriptor = self.kernel.lock().descriptor.clone();
        match descriptor {
            // What it takes is ours only when a try has said so, see `try_take`.
            Some(descriptor) => {
                descriptor.mark();
                self.lock_by(&descriptor, mode)
            }
            None => Ok(()),
        }
    }

    /// Blocks the thread until a descriptor has the lock.
    pub(super) fn lock_by(
        self: &Arc<Self>,
        descriptor: &Descriptor,
        mode: Mode,
    ) -> Result<(), Failure> {
        let told: Arc<dyn Told> = self.clone();
        // Relaxed, here and below: the number is all there is to see.
        self.in_kernel.fetch_add(1, Ordering::Relaxed);
        tell::changed(&told);
        let result = descriptor.lock(mode);
        self.in_kernel.fetch_sub(1, Ordering::Relaxed);
        tell::changed(&told);
        result
    }

    /// Starts a thread that waits for the kernel's lock, if there are not too many.
    pub(super) fn wait(self: &Arc<Self>, path: &Path, mode: Mode) -> Result<Sleep, Failure> {
        let mut kernel = self.kernel.lock();
        let sleepers = &mut kernel.sleepers;
        // The child of a fork has none of its parent's threads.
        let is_left = |sleeper: &&Arc<Sleeper>| sleeper.mode == mode && sleeper.descriptor.is_own();
        let mut left = sleepers.iter().filter(is_left);
        if let Some(claim) = left.find_map(|sleeper| sleeper.claim(self.clone())) {
            return Ok(Sleep::For(claim));
        }
        let descriptor = Descriptor::open(path)?;
        if descriptor.identity != self.identity {
            return Ok(Sleep::Elsewhere);
        }
        descriptor.mark();
        let Some(claim) = Sleeper::start(self.clone(), mode, descriptor) else {
            return Ok(Sleep::TooMany);
        };
        sleepers.retain(|sleeper| sleeper.mode != mode);
        sleepers.push(Arc::clone(&claim.sleeper));
        Ok(Sleep::For(claim))
    }

    /// Takes a sleeper's descriptor over, with the lock that it has.
    pub(super) fn take_from(&self, sleeper: &Sleeper) {
        let mut kernel = self.kernel.lock();
        if kernel.state == State::Free {
            kernel.descriptor = Some(Arc::clone(&sleeper.descriptor));
            (kernel.led, kernel.seen) = (None, None);
        }
    }

    /// Forgets a sleeper that has ended. What it has of the lock ends with its descriptor, unless
    /// that was taken over.
    pub(super) fn end_sleep(&self, sleeper: &Arc<Sleeper>) {
        let mut kernel = self.kernel.lock();
        kernel.sleepers.retain(|other| !Arc::ptr_eq(other, sleeper));
        let is_ours = |ours: &Arc<Descriptor>| Arc::ptr_eq(ours, &sleeper.descriptor);
        if !kernel.descriptor.as_ref().is_some_and(is_ours) {
            let _ = sleeper.descriptor.unlock();
        }
    }

    /// Ends a hold.
    pub(super) fn release(&self, link: &Link, rule: Rule) {
        let mut kernel = self.kernel.lock();
        take_one(&link.holders);
        match &mut kernel.state {
            State::Held(_, holders) if *holders > 1 => *holders -= 1,
            State::Held(mode, _) => {
                let mode = *mode;
                let others = self.usage.has_others();
                if rule == Rule::Oslo {
                    kernel.pace.end_hold(Instant::now());
                }
                kernel.release(others && rule == Rule::Own && mode == Mode::Exclusive);
            }
            State::Free | State::Kept => unreachable!("who releases holds"),
        }
    }

    /// Shows those who remove old files that it is in use, if it is held.
    pub(super) fn refresh(&self) {
        let kernel = self.kernel.lock();
        let held = kernel.descriptor.clone();
        let held = held.filter(|_| kernel.state != State::Free);
        drop(kernel); // The file system may take its time.
        if let Some(descriptor) = held {
            descriptor.touch();
        }
    }

    /// Those of this process who wait for it now.
    pub(super) fn count(&self) -> Count {
        let holders = match self.kernel.lock().state {
            State::Held(_, holders) => holders,
            State::Free | State::Kept => 0,
        };
        Count {
            waiters: self.usage.users().saturating_sub(holders),
            in_kernel: self.in_kernel.load(Ordering::Relaxed),
        }
    }

    /// Writes down how many of this process wait.
    pub(super) fn tell_count(&self, by: Teller, count: Count) {
        let descriptor = self.kernel.lock().descriptor.clone();
        // The file system may take its time.
        if descriptor.is_some_and(|descriptor| descriptor.tell(by, count)) {
            self.is_told.store(true, Ordering::Relaxed);
        }
    }

    /// Says in the file what its holder waits for, if it is held; tells whether it is said.
    pub(super) fn say(&self, behind: &Behind) -> bool {
        let mut kernel = self.kernel.lock();
        let descriptor = kernel.descriptor.clone().filter(|_| kernel.is_recorded());
        let says = descriptor.is_some_and(|descriptor| descriptor.say(behind));
        if says {
            kernel.says = true;
        } else {
            kernel.unsay();
        }
        says
    }

    /// Takes back what was said.
    pub(super) fn unsay(&self) {
        self.kernel.lock().unsay();
    }

    /// Ends what was kept for those who have all gone.
    pub(super) fn put_away(&self) -> Rest {
        let mut kernel = self.kernel.lock();
        match kernel.state {
            State::Kept if kernel.is_own() => kernel.release(false),
            // The parent of a fork keeps it, for somebody there.
            State::Kept => kernel.state = State::Free,
            State::Free | State::Held(..) => {}
        }
        Rest {
            is_open: kernel.descriptor.is_some(),
            is_awaited: !kernel.sleepers.is_empty(),
        }
    }

    /// Removes the file at its path, if it is there; tells whether it was. The caller holds its
    /// lock exclusively.
    ///
    /// A name can't be removed on the condition that it leads to a certain file. But none of our
    /// own processes has it lead elsewhere without this lock: only a stranger who puts another
    /// file there in the moment between the look and the removal loses that file.
    pub(super) fn remove(&self, path: &Path) -> Result<bool, Failure> {
        let mut kernel = self.kernel.lock();
        let descriptor = kernel.descriptor.clone();
        if !descriptor.map_or(Ok(false), |descriptor| descriptor.is_at(path))? {
            kernel.led = None; // Or the next caller would believe that it is there.
            return Ok(false);
        }
        if !Os::REMOVES_OPEN {
            // While it is open here it can't be removed. If it can be afterwards, nobody has it
            // open, and so nobody has its lock.
            kernel.descriptor = None;
        }
        fs::remove_file(path).map_err(Failure::of("remove lock file"))?;
        // Those who wait for it find out as soon as they get it. Nobody is handed it.
        kernel.descriptor = None;
        Ok(true)
    }

    /// Whether this process has the kernel's lock.
    pub(super) fn is_held(&self) -> bool {
        self.kernel.lock().state != State::Free
    }

    /// Whether this process has the kernel's lock, and has written that down.
    pub(super) fn is_recorded(&self) -> bool {
        self.kernel.lock().is_recorded()
    }

    /// The path by which it was first opened, as far as that is text.
    pub(super) fn path(&self) -> PathBuf {
        Path::new(self.line.locks.name()).join(self.line.name.as_str())
    }

    /// The open file once more, with the lock that the caller holds.
    pub(super) fn duplicate(&self) -> Result<File, Failure> {
        let descriptor = self.kernel.lock().descriptor.clone();
        let descriptor = descriptor.expect("a file that is held is open");
        let duplicate = descriptor.duplicate();
        duplicate.map_err(Failure::of("share lock file"))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let descriptor = &self.kernel.get_mut().descriptor;
        if let (true, Some(descriptor)) = (*self.is_told.get_mut(), descriptor) {
            // The thread that wrote it goes on, and nobody is left to have it written anew.
            descriptor.retract();
        }
    }
}

impl Kernel {
    fn try_take(
        &mut self,
        file: &LockFile,
        link: &Arc<Link>,
        manner: Manner,
    ) -> Result<Tried, Failure> {
        let Manner {
            rule, mode, site, ..
        } = manner;
        match self.state {
            State::Held(..) => return self.join(link, manner),
            // As in `put_away`.
            State::Kept if !self.is_own() => self.state = State::Free,
            State::Kept if mode == Mode::Exclusive => return self.take_kept(link, site),
            // A shared lock on the same descriptor takes the place of an exclusive one.
            State::Kept => self.state = State::Free,
            State::Free if manner.gives_way => {
                if let Some(until) = self.pace.pause() {
                    return Ok(Tried::Paused(until));
                }
            }
            State::Free => {}
        }
        // It comes back if nothing is wrong with it.
        let descriptor = match self.take_descriptor() {
            Some(descriptor) => descriptor,
            None => Arc::new(Descriptor::open(&link.path)?),
        };
        if descriptor.identity != file.identity {
            return Ok(Tried::Elsewhere);
        }
        let taken = self.try_lock(&descriptor, mode)?;
        let is_recorded = taken && rule == Rule::Own;
        match self.check(&descriptor, link, is_recorded.then_some(site)) {
            Ok(true) => self.descriptor = Some(descriptor),
            Ok(false) => {
                descriptor.unlock()?;
                self.descriptor = Some(descriptor);
                return Ok(Tried::Elsewhere);
            }
            Err(failure) => {
                // A waiter may keep the descriptor open, and the lock with it.
                let _ = descriptor.unlock();
                return Err(failure);
            }
        }
        if !taken {
            return Ok(Tried::Busy);
        }
        self.state = State::Held(mode, 1);
        if rule == Rule::Oslo {
            self.pace.begin_hold(Instant::now());
        }
        Ok(Tried::Taken { anew: true })
    }

    /// Takes the lock of a descriptor, if no other process has it.
    fn try_lock(&self, descriptor: &Descriptor, mode: Mode) -> Result<bool, Failure> {
        let mut taken = descriptor.try_lock(mode)?;
        // Threads that wait for nobody may have got it this moment, and the next of them when one gives it back; none
        // gets it twice.
        for _ in 0..self.sleepers.len() {
            if taken {
                break;
            }
            self.sleepers.iter().for_each(|sleeper| sleeper.give_back());
            taken = descriptor.try_lock(mode)?;
        }
        Ok(taken)
    }

    /// Whether what it has of the lock is that of this process alone, and not of the one that has forked
    /// it as well.
    fn is_own(&self) -> bool {
        let descriptor = self.descriptor.as_ref();
        descriptor.is_some_and(|descriptor| descriptor.is_own())
    }

    /// The descriptor that is open. Not that of the process that has forked this one: they would
    /// have the lock together.
    fn take_descriptor(&mut self) -> Option<Arc<Descriptor>> {
        let own = self.descriptor.take().filter(|ours| ours.is_own());
        if own.is_none() {
            self.sleepers.retain(|sleeper| sleeper.descriptor.is_own());
            (self.led, self.seen) = (None, None);
        }
        own
    }

    /// Takes a share in what others in the process hold, or goes in again.
    fn join(&mut self, link: &Arc<Link>, manner: Manner) -> Result<Tried, Failure> {
        // A hold that came by this name stays one where the name was removed meanwhile. It is the
        // caller's own, unless several share the lock.
        let is_alone = matches!(self.state, State::Held(Mode::Exclusive, _));
        let again = manner.reentry == Reentry::Allowed && is_alone && link.is_held_by();
        if !again && !self.leads_here(link, Instant::now())? {
            return Ok(Tried::Elsewhere);
        }
        if let State::Held(_, holders) = &mut self.state {
            *holders += 1;
        }
        Ok(Tried::Taken { anew: false })
    }

    /// Takes what was kept for the next in line.
    fn take_kept(&mut self, link: &Arc<Link>, site: Site) -> Result<Tried, Failure> {
        let now = Instant::now();
        let was_brief = self.kept_at.is_some_and(|at| is_brief(now - at));
        let is_here = was_brief && self.led_here(link, now);
        if !is_here && !self.leads_here(link, now)? {
            self.release(false);
            return Ok(Tried::Elsewhere);
        }
        self.state = State::Held(Mode::Exclusive, 1);
        self.kept_at = Some(now);
        if let (Some(descriptor), Some(seen)) = (&self.descriptor, &mut self.seen) {
            if seen.site != site {
                seen.record(descriptor, site);
            }
        }
        Ok(Tried::Taken { anew: false })
    }

    /// Whether the name leads to this file, whose lock the process has.
    fn leads_here(&mut self, link: &Arc<Link>, now: Instant) -> Result<bool, Failure> {
        match &self.descriptor {
            Some(descriptor) if self.led_here(link, now) => Ok(descriptor.glance()?.has_name),
            Some(descriptor) => {
                let descriptor = Arc::clone(descriptor);
                self.look(&descriptor, link, now)
            }
            None => Ok(false),
        }
    }

    fn led_here(&self, link: &Arc<Link>, now: Instant) -> bool {
        let led = self.led.as_ref();
        led.is_some_and(|led| led.is_believed(link, now))
    }

    /// Looks where the name leads to.
    fn look(
        &mut self,
        descriptor: &Descriptor,
        link: &Arc<Link>,
        now: Instant,
    ) -> Result<bool, Failure> {
        let is_here = descriptor.is_at(&link.path)?;
        match &mut self.led {
            _ if !is_here => {}
            Some(led) if led.is_by(link) => led.again(now),
            led => *led = Some(Led::new(link, now)),
        }
        Ok(is_here)
    }

    /// Tells whether the name leads to the file; then writes down the holder, if there is one, and
    /// where in the code it took the lock.
    fn check(
        &mut self,
        descriptor: &Descriptor,
        link: &Arc<Link>,
        taken: Option<Site>,
    ) -> Result<bool, Failure> {
        let now = Instant::now();
        let Some(site) = taken else {
            return self.look(descriptor, link, now);
        };
        if let Some(seen) = self.seen.as_mut().filter(|seen| seen.is_fresh(site, now)) {
            let glance = descriptor.glance()?;
            if seen.is_unchanged(descriptor, glance) {
                let is_here = glance.has_name && self.led_here(link, now);
                return Ok(is_here || self.look(descriptor, link, now)?);
            }
        }
        let content = descriptor.content();
        let seen = self.seen.as_ref();
        if seen.is_some_and(|seen| !seen.is(content.as_ref())) {
            self.pace.others_are_about(now);
        }
        let is_here = self.look(descriptor, link, now)?;
        if is_here {
            self.seen = Some(Seen::new(descriptor, site, content.as_ref(), now));
        }
        Ok(is_here)
    }

    /// Whether it is held by somebody who has written that down.
    fn is_recorded(&self) -> bool {
        matches!(self.state, State::Held(..)) && self.seen.is_some()
    }

    fn unsay(&mut self) {
        if mem::take(&mut self.says) {
            self.descriptor.iter().for_each(|ours| ours.unsay());
        }
    }

    /// Ends the last hold. The lock goes to somebody else in the process, if there is one.
    fn release(&mut self, others: bool) {
        self.unsay();
        if !others {
            self.pace.end();
        } else if self.is_own() && self.pace.may_be_kept() {
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

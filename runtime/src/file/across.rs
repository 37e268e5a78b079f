//! Deadlocks between processes: who of this one holds a lock file and waits for another process.
//!
//! A thread or task that waits for a file which another process has keeps those files from others
//! that it holds, and so do those who wait for it in this process. The thread that tells how many
//! wait, see [`tell`](super::tell), looks for such holders, and of each that has been so for
//! [`SETTLED`] says it in the file that it holds, see [`behind`](super::behind). Then it
//! [`follow`](super::follow)s what others say. A cycle that is the same in two looks is reported as
//! a suspected deadlock, once, by each process that is in it. Each process knows its own threads
//! and tasks, so none of them is taken for another one that happens to be in the same process.
//!
//! What is said must not outlive what it says. So a waiter whose wait ends takes it back before it
//! goes on, and a file is released without it. For that a look has the mutex of what is
//! [`KNOWN`] until all is said, marks the files that such holders wait for, and looks once more
//! whether they do: a waiter whose wait ends unseen has seen no mark, and one that sees it waits for
//! the mutex. Who waits for other files never meets a look. The `model` has several processes
//! do so in any order, with looks that see halves of lines.

use super::behind::Behind;
use super::count::Count;
use super::follow::{self, Hop, News, Seen, marks};
use super::kernel::LockFile;
use super::sys::{Files as _, Os};
use super::table;
use super::tell::Told;
use super::teller::Teller;
use crate::deadlock::{Deadlock, Edge};
use crate::graph::{self, Beyond};
use crate::holder::{Elsewhere, Holder};
use crate::key::Key;
use crate::ordered::OrderedMap;
use crate::owner::Owner;
use crate::process::OfProcess;
use crate::site::Record;
use crate::table::looks;
use crate::table::place::Place;
use crate::table::waits::Cycle;
use parking_lot::Mutex;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a holder has waited before that is said. With two looks, that is a second until a
/// deadlock is reported.
const SETTLED: Duration = Duration::from_millis(800);

/// When to look again where a holder waits.
const SOON: Duration = Duration::from_millis(150);

/// The same where the process holds files, and nobody who does has been seen to wait.
const LATER: Duration = Duration::from_millis(350);

/// The same where it holds none.
const SELDOM: Duration = Duration::from_secs(1);

/// The holders that were found to wait.
static KNOWN: OfProcess<Mutex<Vec<Known>>> = OfProcess::new();

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A holder of a file who waits for another process, be it for somebody here who does.
#[derive(Clone)]
struct Stuck {
    file: Arc<LockFile>,
    hold: (Place, Record),
    /// From the holder to who waits outside.
    way: Cycle,
    on: Arc<LockFile>,
    /// Who waits outside, by its place in the line.
    wait: (Place, Record),
}

/// One that is known. What was said of it is taken back when this is dropped.
struct Known {
    number: u64,
    stuck: Stuck,
    since: Instant,
    seen: Seen,
}

impl Told for LockFile {
    fn note_change(&self) -> bool {
        // Whoever counts after it is taken back by `tell` sees what was before this.
        !self.has_changed.swap(true, Ordering::AcqRel)
    }

    fn forget_change(&self) {
        self.has_changed.swap(false, Ordering::AcqRel);
    }

    fn tell(&self, by: Teller) -> bool {
        self.forget_change();
        let count = self.count();
        self.tell_count(by, count);
        count != Count::default()
    }

    fn end_wait(&self) {
        // Pairs with the mark of `say_all`, which is followed by a look under the mutexes that this
        // wait has ended under: either that look has seen the end, or the mark is seen here.
        if self.has_behind.load(Ordering::Acquire) {
            let mut known = KNOWN.get().lock();
            known.retain(|known| {
                Arc::as_ptr(&known.stuck.on) != ptr::from_ref(self) || known.stuck.waits()
            });
        }
    }

    fn look(&self, by: Teller) -> Duration {
        look(by)
    }
}

impl Stuck {
    fn is_same(&self, other: &Self) -> bool {
        let (one, another) = ((self.hold, self.wait), (other.hold, other.wait));
        one == another && Arc::ptr_eq(&self.file, &other.file) && Arc::ptr_eq(&self.on, &other.on)
    }

    /// Whether it still waits outside.
    fn waits(&self) -> bool {
        asking(&self.on).contains(&self.wait)
    }

    /// Says it in the file that is held; tells whether it is said.
    fn say(&self, number: u64, by: Teller) -> bool {
        let path = self.on.path();
        // What is said is where others come to, too.
        if !self.on.is_at(&path).unwrap_or(false) {
            return false;
        }
        self.file.say(&Behind {
            by,
            wait: number,
            site: self.wait.1.site.to_string(),
            identity: Os::words(self.on.identity),
            path,
        })
    }

    /// The cycle that others say this is part of.
    fn follow(&self, number: u64, by: Teller) -> Option<Vec<Hop>> {
        let file = table::open_to_read(&self.file.path()).ok().flatten()?;
        if Os::identity(&file).ok()? != self.file.identity {
            return None;
        }
        follow::cycle(&file, &|line| line.by == by && line.wait == number)
    }

    fn describe(&self, cycle: &[Hop]) -> Deadlock {
        let who = |(place, record)| looks::who(place).unwrap_or_else(|| Holder::from(record));
        let mut edges = self.way.edges();
        for (index, hop) in cycle.iter().enumerate() {
            let (directory, name) = hop.behind.lock();
            let next = cycle.get(index + 1).map(|next| next.holder.clone());
            edges.push(Edge {
                waiter: match index {
                    0 => who(self.wait),
                    _ => Holder::of_elsewhere(Elsewhere {
                        place: Some(hop.behind.site.clone()),
                        since: None,
                        ..hop.holder.clone()
                    }),
                },
                space: directory.to_string_lossy().into_owned().into(),
                key: Key::new(name),
                holder: next.map_or_else(|| who(self.hold), Holder::of_elsewhere),
            });
        }
        Deadlock::new(edges)
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        self.stuck.file.unsay();
        graph::end_beyond(self.number);
    }
}

/// Those who have the line of a file whose lock the process hasn't, and so wait for others.
fn asking(file: &LockFile) -> Vec<(Place, Record)> {
    if file.is_held() {
        return Vec::new();
    }
    holders(file)
}

/// Those who have the line of a file.
fn holders(file: &LockFile) -> Vec<(Place, Record)> {
    let holders = file.line.locks.holders(&file.line.name).into_iter();
    let named = holders.filter(|holder| holder.record.owner != Owner::UNKNOWN);
    named.map(|holder| (holder.place, holder.record)).collect()
}

/// The holders of files who wait for others: of each file one.
fn find(in_use: &[Arc<LockFile>]) -> Vec<Stuck> {
    let mut waits: OrderedMap<Owner, (&Arc<LockFile>, (Place, Record))> = OrderedMap::new();
    for file in in_use {
        for wait in asking(file) {
            waits.insert(wait.1.owner, (file, wait));
        }
    }
    let is_end = |owner| waits.contains_key(&owner);
    let stuck = in_use.iter().filter_map(|file| {
        if waits.is_empty() || !file.is_recorded() {
            return None;
        }
        holders(file).into_iter().find_map(|hold| {
            let way = graph::find_way(hold.1.owner, is_end)?;
            let end = way.0.last().map_or(hold.1.owner, |step| step.holder.owner);
            let (on, wait) = waits[&end];
            Some(Stuck {
                file: Arc::clone(file),
                hold,
                way,
                on: Arc::clone(on),
                wait,
            })
        })
    });
    stuck.collect()
}

/// Looks for holders that wait, says it of them, and follows what others say. Gives when to look
/// again.
fn look(by: Teller) -> Duration {
    let in_use = table::in_use();
    let said = say_all(&in_use, by);
    let next = match said {
        Some(_) => SOON,
        None if in_use.iter().any(|file| file.is_recorded()) => LATER,
        None => SELDOM,
    };
    for (number, stuck) in said.into_iter().flatten() {
        // Without the mutex: it reads files of others.
        let cycle = stuck.follow(number, by);
        let reported = note(number, cycle.as_deref());
        if reported.is_some_and(|deadlock| graph::report_apart(deadlock).is_err()) {
            // The next look tries again.
            let mut known = KNOWN.get().lock();
            let known = known.iter_mut().filter(|known| known.number == number);
            known.for_each(|known| known.seen.is_reported = false);
        }
    }
    next
}

/// Brings what is known and said up to date. Gives what is said; `None` where nobody is known.
fn say_all(in_use: &[Arc<LockFile>], by: Teller) -> Option<Vec<(u64, Stuck)>> {
    let mut found = find(in_use);
    let mut known = KNOWN.get().lock();
    for stuck in &found {
        stuck.on.has_behind.store(true, Ordering::Release);
    }
    found.retain(|stuck| stuck.waits() && holders(&stuck.file).contains(&stuck.hold));
    known.retain(|known| found.iter().any(|stuck| stuck.is_same(&known.stuck)));
    for stuck in found {
        match known.iter_mut().find(|known| stuck.is_same(&known.stuck)) {
            Some(known) => known.stuck.way = stuck.way,
            None => known.push(Known {
                number: NUMBER.fetch_add(1, Ordering::Relaxed),
                stuck,
                since: Instant::now(),
                seen: Seen::default(),
            }),
        }
    }
    for file in in_use {
        let mut on = known.iter().map(|known| &known.stuck.on);
        let is_behind = on.any(|on| Arc::ptr_eq(on, file));
        file.has_behind.store(is_behind, Ordering::Release);
    }
    let settled = known
        .iter()
        .filter(|known| known.since.elapsed() >= SETTLED);
    let said = settled.filter(|known| known.stuck.say(known.number, by));
    let said = said.map(|known| (known.number, known.stuck.clone()));
    (!known.is_empty()).then(|| said.collect())
}

/// Notes a cycle that was found, or that none was. Gives it if it is to be reported.
fn note(number: u64, cycle: Option<&[Hop]>) -> Option<Deadlock> {
    let mut all = KNOWN.get().lock();
    let marks = cycle.map(marks);
    let is_other = |known: &Known| known.number != number && known.seen.cycle == marks;
    let is_reported = all
        .iter()
        .any(|known| known.seen.is_reported && is_other(known));
    let known = all.iter_mut().find(|known| known.number == number)?;
    match known.seen.note(marks) {
        News::Lasts => {}
        News::Same => return None,
        News::Other => {
            graph::end_beyond(number);
            return None;
        }
    }
    let deadlock = known.stuck.describe(cycle?);
    let beyond = Beyond {
        number,
        hold: known.stuck.hold.0,
        wait: known.stuck.wait.0,
        deadlock: deadlock.clone(),
    };
    beyond.set();
    // Where the process is in it twice it is reported once.
    (!is_reported).then_some(deadlock)
}

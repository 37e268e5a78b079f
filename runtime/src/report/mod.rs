//! Why locks are waited for, in one look.
//!
//! All locks that somebody waits for are looked at, a part of them at a time. The [`forest`] says
//! which of them is behind which, and where that ends: each end is a [`Cause`]. A cycle is asked
//! for once more in the graph of waits, which knows it exactly, since the look was no one moment.
//! The [`tree`] draws who waits behind a cause. `json` is the same for programs.

mod forest;
#[cfg(feature = "inspect")]
mod json;
#[cfg(all(test, not(loom)))]
mod tests;
mod tree;

use crate::deadlock::Deadlock;
use crate::graph;
use crate::holder::Holder;
use crate::key::Key;
use crate::lasted::Seconds;
use crate::name::Keys;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::outside::{Asking, all_asking};
use crate::owner::Owner;
use crate::process;
use crate::table::entry::look::Contended;
use crate::table::looks;
use crate::table::moment::Moment;
use crate::table::party::Party;
use crate::table::place::{Place, Ticket};
use forest::{Forest, Lock, Root};
#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;
use std::{fmt, mem};
use tree::{Tree, View};

/// How many causes a report has.
const CAUSES: usize = 50;

/// Says why threads and tasks of this process wait for locks: each cause, who is behind it, and
/// what there is to do. For a service that hangs, from a signal handler's thread, a route or a test.
///
/// It looks at all locks, as [`snapshot`](crate::snapshot()) does, while the process goes on.
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
/// use std::thread;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// let guard = CELLS.key("2f1c").lock();
/// thread::scope(|scope| {
///     scope.spawn(|| drop(CELLS.key("2f1c").lock()));
///     while lockutils::report().causes().is_empty() {
///         thread::yield_now();
///     }
///     let report = lockutils::report();
///     println!("{report}");
///     let cause = &report.causes()[0];
///     assert_eq!((cause.space(), cause.key().as_str(), cause.waiters()), ("cells", "2f1c", 1));
///     drop(guard);
/// });
/// ```
#[must_use]
pub fn report() -> Report {
    report_with(Keys::Plain)
}

/// The same, with what is shown of keys.
pub(crate) fn report_with(keys: Keys) -> Report {
    Report::look(keys, None)
}

/// The same of what one lock is held by, and what keeps that from going on, if anybody here holds it: for
/// who waits for it in another process. The lock is named by its space and its key, as they are here.
#[cfg(feature = "inspect")]
pub(crate) fn report_of(keys: Keys, lock: (&str, &str)) -> Report {
    Report::look(keys, Some(lock))
}

/// A lock, with those among its holders who have it, and the others in its queue.
fn lock(
    mut seen: Contended,
    asking: &OrderedMap<(u64, Ticket), Asking>,
    keys: Keys,
    now: Moment,
) -> Lock {
    seen.key = keys.shown(&seen.key);
    let mut asked = None;
    // Who was called to take it is as good as one that it was handed to.
    if let (true, Some(first)) = (seen.holders.is_empty(), seen.queue.first()) {
        if first.not_come.is_some() {
            seen.holders.push(seen.queue.remove(0));
        }
    }
    // Who asks outside of the process holds the lock of the line, and waits first of all.
    for mut holder in mem::take(&mut seen.holders) {
        let Place { entry, ticket } = holder.place;
        if let Some(asking) = asking.get(&(entry.hash, ticket)) {
            holder.waits = Some(asking.times);
            asked = Some(asking.clone());
            seen.queue.insert(0, holder);
        } else {
            seen.holders.push(holder);
        }
    }
    Lock::new(seen, asked, now)
}

/// The number of a file, by which Linux shows its locks.
#[cfg(target_os = "linux")]
fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|file| file.ino())
}

#[cfg(not(target_os = "linux"))]
fn inode(_path: &Path) -> Option<u64> {
    None
}

/// How often the culprit has a lock. A thread can go in again, or have several of its permits.
fn times(seen: &Contended, culprit: Option<&Party>) -> usize {
    let thread = culprit.map(|culprit| culprit.record.owner);
    let Some(thread) = thread.filter(|owner| owner.is_thread()) else {
        return usize::from(culprit.is_some());
    };
    let is_own = |holder: &&Party| holder.record.owner == thread;
    seen.holders.iter().filter(is_own).count()
}

/// Why locks of this process are waited for, see [`report`](report()).
///
/// [`Display`](fmt::Display) gives the text:
///
/// ```text
/// nova-compute (4711): 3 wait, the first for 12.3 s. One cause.
///
/// 1  cells/2f1c, held by connect (src/cells.rs:41) in thread "worker-3" (4720) for at least 12.3 s
///    It waits for no lock itself. See what it does: gdb -p 4711 -ex 'thread find 4720'
///    3 behind it:
///    ├─ refresh (src/cells.rs:90) in thread "worker-5" (4722), 12.3 s, and holds images/9a
///    │  └─ fetch (src/image.rs:12) in task "fetch-1", 11.9 s
///    └─ drop_cell (src/cells.rs:120) in task "gc", 3.1 s, gives up in 1.9 s
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    waiters: usize,
    longest: Option<Duration>,
    causes: Vec<Cause>,
    left_off: usize,
}

/// A lock that its holder keeps from others, or several whose holders wait for one another.
///
/// [`Display`](fmt::Display) gives its part of the [`Report`], without the number.
#[derive(Clone, Debug)]
pub struct Cause {
    name: String,
    space: &'static str,
    key: Key,
    permits: u32,
    culprit: Option<Holder>,
    /// How often it has the lock.
    times: usize,
    /// How many more holds there are, of others.
    others: usize,
    /// Whether the lock is outside of the process.
    is_outside: bool,
    deadlock: Option<Deadlock>,
    waiters: usize,
    waited: Duration,
    tree: Tree,
}

impl Report {
    /// Looks at all locks, or of the causes at those that keep one lock from being released.
    fn look(keys: Keys, of: Option<(&str, &str)>) -> Self {
        let asking = all_asking();
        let seen = looks::contended(&|hash, ticket| asking.contains_key(&(hash, ticket)), of);
        let now = Moment::now();
        let is_it = |seen: &Contended| of == Some((seen.space, seen.key.as_str()));
        let (mut locks, mut wanted) = (Vec::new(), None);
        let (mut waiters, mut longest) = (0, None);
        for seen in seen {
            let is_it = is_it(&seen);
            let lock = lock(seen, &asking, keys, now);
            let queue = &lock.seen.queue;
            waiters += queue.len();
            longest = longest.max(queue.iter().map(|waiter| waiter.waited(now)).max());
            if is_it && wanted.is_none() {
                wanted = Some(locks.len());
            }
            if is_it || !queue.is_empty() {
                locks.push(lock);
            }
        }
        let mut forest = Forest::new(locks);
        let mut roots = forest.find_roots();
        if of.is_some() {
            let root = wanted.map(|wanted| forest.root_of(wanted));
            roots.retain(|(found, ..)| root.is_some_and(|root| found.has(root)));
        }
        let left_off = roots.len().saturating_sub(CAUSES);
        roots.truncate(CAUSES);
        let mut causes = Vec::new();
        for (root, waiters, waited) in roots {
            causes.push(Cause {
                waiters,
                waited,
                ..Cause::new(&forest, root, keys, now)
            });
        }
        Self {
            waiters,
            longest,
            causes,
            left_off,
        }
    }

    /// The causes, that first for which most has been waited, all waiters together; 50 of them at most.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }
}

impl Cause {
    fn new(forest: &Forest, root: Root, keys: Keys, now: Moment) -> Self {
        let mut shown = OrderedSet::new();
        let deadlock;
        let (members, culprit) = match root {
            Root::Lock(index) => {
                let lock = &forest.locks[index];
                deadlock = lock.asks().and_then(graph::beyond);
                (vec![index], lock.culprit(forest))
            }
            Root::Cycle(mut cycle) => {
                // That first which keeps most from going on.
                let waiters = |at: &usize| forest.locks[cycle[*at].0].waiters;
                let first = (0..cycle.len()).max_by_key(waiters).unwrap_or_default();
                cycle.rotate_left(first);
                let (index, owner, place) = cycle[0];
                deadlock = graph::find_cycle(owner, place);
                shown.extend(cycle.iter().map(|(.., place)| *place));
                let mut holders = forest.locks[index].seen.holders.iter();
                let culprit = holders.find(|holder| holder.record.owner == owner);
                (
                    cycle.into_iter().map(|(index, ..)| index).collect(),
                    culprit,
                )
            }
        };
        let deadlock = deadlock.map(|cycle| cycle.with_keys(keys));
        if deadlock.is_none() {
            shown = OrderedSet::new();
        }
        let owner = culprit.map(|culprit| culprit.record.owner);
        let view = View {
            forest,
            keys,
            now,
            task: owner.filter(|owner| deadlock.is_none() && Owner::is_task(*owner)),
            shown,
        };
        let Lock { seen, asking, .. } = &forest.locks[members[0]];
        let outside = asking.as_ref().map(|asking| asking.lock.holder());
        let times = times(seen, culprit);
        Self {
            name: view.name(members[0]),
            space: seen.space,
            key: seen.key.clone(),
            permits: seen.permits,
            is_outside: outside.is_some(),
            culprit: outside.unwrap_or_else(|| culprit.map(|culprit| culprit.show(now))),
            times,
            others: seen.holders.len().saturating_sub(times.max(1)),
            deadlock,
            waiters: 0,
            waited: Duration::ZERO,
            tree: view.tree(&members, 0),
        }
    }

    /// The name of the lock space.
    #[must_use]
    pub const fn space(&self) -> &str {
        self.space
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Who has the lock, or was handed it and hasn't come; of several the one to look at. `None` while
    /// it is on its way to the next, or where another process has it that isn't known.
    #[must_use]
    pub const fn culprit(&self) -> Option<&Holder> {
        self.culprit.as_ref()
    }

    /// How many wait for the lock, and for locks whose holders do.
    #[must_use]
    pub const fn waiters(&self) -> usize {
        self.waiters
    }

    /// For how long they have waited, all of them together.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// The cycle, if the holders of the lock and of others wait for one another.
    #[must_use]
    pub const fn deadlock(&self) -> Option<&Deadlock> {
        self.deadlock.as_ref()
    }

    /// What there is to know and to do, in sentences, unless it is a deadlock.
    fn advice(&self) -> impl Iterator<Item = String> {
        let culprit = self.culprit.as_ref();
        let culprit = culprit.filter(|_| self.deadlock.is_none());
        let advice = culprit.and_then(Holder::advice);
        let is_task = culprit.is_some_and(Holder::is_task);
        let mut waiters = self.tree.branches.iter().filter(|_| is_task);
        let blocks = waiters.find_map(|branch| branch.who.blocks());
        let blocks = blocks.map(|site| {
            format!(
                "{site} blocks a thread for it: if that is one of its runtime's, the task may \
                 never go on. Use the async form there."
            )
        });
        let is_unknown = culprit.is_none_or(|culprit| culprit.pid().is_none());
        let is_unknown = is_unknown && self.is_outside && self.deadlock.is_none();
        let search = is_unknown.then(|| self.search()).flatten();
        advice.into_iter().chain(search).chain(blocks)
    }

    /// How to find who has a lock file, if nobody says it: the kernel tells of each open file which lock it
    /// has.
    fn search(&self) -> Option<String> {
        let path = Path::new(&self.name).is_absolute().then_some(&self.name)?;
        let inode = inode(Path::new(path))?;
        Some(format!(
            "See which processes have it: grep -l '^lock:.*:{inode} ' /proc/[0-9]*/fdinfo/* 2>/dev/null"
        ))
    }

    /// The lock and who has it.
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        let Some(culprit) = &self.culprit else {
            return f.write_str(if self.is_outside {
                ", which is asked for outside of this process"
            } else {
                ", on its way to the next"
            });
        };
        if self.permits > 1 && !self.is_outside {
            write!(f, ", all {} permits", self.permits)?;
        }
        let times = if self.is_outside { 1 } else { self.times };
        write!(f, ", {:#}", culprit.has_times(times))?;
        if let (Some(held), None) = (culprit.held_for(), culprit.not_polled_for()) {
            // Another process says itself since when.
            if culprit.site().is_some() {
                write!(f, " for at least {}", Seconds(held))?;
            }
        }
        match self.others {
            _ if self.is_outside => Ok(()),
            0 => Ok(()),
            others => write!(f, ", and {others} more"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        if let Some(deadlock) = &self.deadlock {
            write!(f, "\n   A deadlock, in which each waits for the next:")?;
            for line in deadlock.to_string().lines() {
                write!(f, "\n   {line}")?;
            }
        }
        for line in self.advice() {
            write!(f, "\n   {line}")?;
        }
        let behind = self.tree.count();
        if behind > 1 {
            write!(f, "\n   {behind} behind it:")?;
        }
        self.tree.draw(f, "   ")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = process::name();
        write!(f, "{} ({}): ", name.escape_debug(), std::process::id())?;
        let Some(longest) = self.longest.map(Seconds) else {
            return write!(f, "nobody waits.");
        };
        match self.waiters {
            1 => write!(f, "1 waits, for {longest}. ")?,
            count => write!(f, "{count} wait, the first for {longest}. ")?,
        }
        match self.causes.len() + self.left_off {
            1 => write!(f, "One cause.")?,
            count => match WORDS.get(count) {
                Some(word) => write!(f, "{word} causes.")?,
                None => write!(f, "{count} causes.")?,
            },
        }
        for (index, cause) in self.causes.iter().enumerate() {
            write!(f, "\n\n{:<2} {cause}", index + 1)?;
        }
        match self.left_off {
            0 => Ok(()),
            1 => write!(f, "\n\nOne more is left off."),
            count => write!(f, "\n\n{count} more are left off."),
        }
    }
}

const WORDS: [&str; 13] = [
    "No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven",
    "Twelve",
];

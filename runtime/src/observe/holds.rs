//! Tells of locks that are held for long.
//!
//! A hold that nobody waits for is taken without a look at the clock, so a thread looks at all
//! holds ten times a second, as a snapshot does, and remembers since when it has seen each.

use super::event::Hold;
use super::listen::Listeners;
use super::tell;
use crate::costs;
use crate::holder::Holder;
use crate::key::Key;
use crate::ordered::OrderedMap;
use crate::outside::asking;
use crate::process;
use crate::sync::ambient::Mutex;
use crate::table::entry::look::Held;
use crate::table::identity::{name_of, name_part};
use crate::table::looks;
use crate::table::moment::Moment;
use crate::table::place::Place;
use crate::worker;
use std::thread;
use std::time::Duration;

/// How often it is looked.
const PERIOD: Duration = Duration::from_millis(100);

static WANTED: Mutex<Wanted> = Mutex::new(Wanted {
    over: None,
    watcher: 0,
    watched_in: None,
});

struct Wanted {
    over: Option<Duration>,
    /// The number of the latest thread.
    watcher: u64,
    /// In which process it runs, if it does: the child of a fork hasn't it.
    watched_in: Option<u32>,
}

/// Has the [observer](super::set_observer) told of locks that are held for longer than this, while
/// they are, and again when they aren't any more. `None` ends that, which is so at first.
///
/// A thread looks at all locks ten times a second for it, which takes some microseconds. Time counts
/// from when it has first seen a hold, so it is told of a tenth of a second late at most; and so
/// is the end. A hold that is shorter than that may not be seen at all.
///
/// # Examples
///
/// ```
/// use lockutils::observe;
/// use std::time::Duration;
///
/// observe::long_holds(Some(Duration::from_secs(5)));
/// ```
pub fn long_holds(over: Option<Duration>) {
    costs::begin(Listeners::NONE);
    let mut wanted = WANTED.lock();
    wanted.over = over;
    let process = process::id();
    if over.is_none() || wanted.watched_in == Some(process) {
        return;
    }
    wanted.watcher += 1;
    let number = wanted.watcher;
    let run = Box::new(move || watch(number));
    let started = worker::start("lockutils-long-holds", None, run);
    wanted.watched_in = started.is_ok().then_some(process);
}

/// Whether holds are looked at.
pub(crate) fn are_watched() -> bool {
    WANTED.lock().over.is_some()
}

/// A hold that was told of.
struct Told {
    space: u64,
    key: Key,
    who: Holder,
    since: Moment,
}

impl Told {
    fn tell(&self, has_ended: bool, now: Moment) {
        let hold = Hold {
            space: name_of(self.space),
            key: &self.key,
            who: &self.who,
            has_ended,
        };
        tell::long_hold(&hold, self.since.until(now));
    }
}

fn watch(number: u64) {
    let mut told: OrderedMap<Place, Told> = OrderedMap::new();
    loop {
        let mut wanted = WANTED.lock();
        let over = wanted.over.filter(|_| wanted.watcher == number);
        let Some(over) = over else {
            wanted.watched_in = None;
            return;
        };
        drop(wanted);
        look(&mut told, over);
        thread::sleep(PERIOD);
    }
}

/// Looks once, and tells of what has become long or has ended.
fn look(told: &mut OrderedMap<Place, Told>, over: Duration) {
    let asking = asking::all();
    let found = looks::held(over);
    // Not before: a hold that was just long enough when it was looked at would be told of as a shorter one.
    let now = Moment::now();
    let mut long = OrderedMap::new();
    for Held {
        space,
        key,
        party,
        since,
    } in found
    {
        // Who asks for it outside of the process has the line, and not the lock.
        let Place { entry, ticket } = party.place;
        if asking.contains_key(&(entry.hash, ticket)) {
            continue;
        }
        let known = told.remove(&party.place);
        // The next hold may be in the same place.
        let same = known.filter(|known| known.since == since);
        let is_new = same.is_none();
        let hold = same.unwrap_or_else(|| Told {
            space,
            key,
            who: party.show(now),
            since,
        });
        if is_new {
            costs::held_long(name_part(space), Some((&hold.who).into()));
            hold.tell(false, now);
        }
        long.insert(party.place, hold);
    }
    for ended in told.values() {
        ended.tell(true, now);
    }
    *told = long;
}

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests {
    use super::look;
    use crate::Locks;
    use crate::alone::is_alone;
    use crate::observe::{self, Event, Observer};
    use crate::ordered::OrderedMap;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    static LOCKS: Locks = Locks::new("just long enough");

    /// For how many nanoseconds the last one is said to have been held that was told of.
    static TOLD: AtomicU64 = AtomicU64::new(0);

    struct Log;

    impl Observer for Log {
        fn event(&self, event: &Event<'_>) {
            if let Event::LongHold(_, time) = event {
                TOLD.store(time.as_nanos().try_into().unwrap(), Ordering::Relaxed);
            }
        }
    }

    /// However long it takes to look, and so to find one that has become long meanwhile.
    #[test]
    fn no_hold_is_told_of_as_shorter_than_a_long_one() {
        let name = "no_hold_is_told_of_as_shorter_than_a_long_one";
        if !is_alone(&format!("{}::{name}", module_path!())) {
            return;
        }
        observe::set_observer(&Log).unwrap();
        // Some of these are about as long as a look takes.
        for over in (0..500_000).step_by(500) {
            let _guard = LOCKS.key(7).lock();
            let mut told = OrderedMap::new();
            while told.is_empty() {
                look(&mut told, Duration::from_nanos(over));
            }
            let time = TOLD.load(Ordering::Relaxed);
            assert!(time >= over, "{time} ns, and {over} ns is long");
        }
    }
}

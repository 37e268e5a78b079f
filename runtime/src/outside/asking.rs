//! Who waits for a lock outside of the process, for people who look, and for who listens.
//!
//! Whoever does holds the lock of the line, so in the process it looks as if it had the lock. Here
//! it says that it has not, from the moment on that it asks until it has got the lock or gives up.
//! It [waits](Registered::begin_wait) from when on it is known that somebody else has the lock: a server
//! that has not answered yet keeps nobody waiting, as far as the costs of locks go.

use super::listened::{Asked, Listened};
use crate::name::Taken;
use crate::observe::listen::listeners;
use crate::observe::outcome::Outcome;
use crate::observe::probed::Probed;
use crate::ordered::OrderedMap;
use crate::sync::ambient::Mutex;
use crate::table::Hold;
use crate::table::identity::{name_of, name_part};
use crate::table::looks;
use crate::table::moment::{Moment, Times};
use crate::table::place::Ticket;
use crate::table::policy::Mode;
use crate::table::watched::Watched;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// By the hash and the ticket of the hold of the line.
static ASKING: Mutex<OrderedMap<(u64, Ticket), Asking>> = Mutex::new(OrderedMap::new());

/// Somebody who asks outside.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) times: Times,
    pub(crate) lock: Arc<dyn Asked>,
    /// Whether somebody else is known to have the lock.
    waits: bool,
    listened: Option<Arc<Listened>>,
}

/// That somebody asks outside; until this is dropped.
pub(super) struct Registered {
    id: (u64, Ticket),
    waits: bool,
    /// Boxed, so that who takes a lock without a wait moves no more than before.
    listened: Option<(Arc<Listened>, Option<Box<Watched>>)>,
    probed: Probed,
    /// What it has come to, if it ends now.
    pub(super) outcome: Outcome,
}

impl Registered {
    /// Who gives up has so much time `left`.
    pub(super) fn new(line: &Hold, left: Option<Duration>, lock: Arc<dyn Asked>) -> Self {
        let id = line.id();
        let asking = Asking {
            times: Times::new(Moment::now(), left),
            lock,
            waits: false,
            listened: None,
        };
        ASKING.lock().insert(id, asking);
        Self {
            id,
            waits: false,
            listened: None,
            probed: Probed::default(),
            outcome: Outcome::Cancelled,
        }
    }

    /// Somebody else has the lock. Gives since when it waits, where that is to be told if it
    /// becomes long.
    pub(super) fn begin_wait(&mut self, mode: Mode) -> Option<Moment> {
        if self.waits {
            return None;
        }
        self.waits = true;
        self.probed = Probed::begin(Ticket::draw, || taken(self.id));
        let mut all = ASKING.lock();
        let asking = all.get_mut(&self.id)?;
        asking.waits = true;
        let (times, lock) = (asking.times, Arc::clone(&asking.lock));
        drop(all); // What follows asks foreign code.
        let listeners = listeners();
        if listeners.is_none() {
            return None;
        }
        let hold = looks::hold(self.id)?;
        let (listened, watched) = Listened::begin(listeners, hold, mode, times, lock);
        if let Some(asking) = ASKING.lock().get_mut(&self.id) {
            asking.listened = Some(Arc::clone(&listened));
        }
        let since = listened.is_told().then_some(listened.since);
        self.listened = Some((listened, watched));
        since
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // What is known of the lock is dropped when the mutex is free.
        let asking = ASKING.lock().remove(&self.id);
        drop(asking);
        self.probed.end(self.outcome);
        if self.waits && self.outcome == Outcome::Acquired {
            // Nobody is to be told that it has had the lock for as long as it waited for it.
            looks::begin_hold(self.id);
        }
        if let Some((listened, watched)) = self.listened.take() {
            listened.end(watched, self.outcome);
        }
    }
}

/// What is asked for by a hold of a line.
fn taken(id: (u64, Ticket)) -> Option<Taken> {
    let hold = looks::hold(id)?;
    Some(Taken {
        space: name_of(name_part(hold.space)),
        key: hold.key,
        site: hold.party.record.site,
    })
}

/// Has an engine say that somebody else has the lock, and that it is about to block the thread.
pub(crate) struct Begins<'a>(
    #[cfg_attr(
        not(feature = "file"),
        expect(dead_code, reason = "the engine of lock files blocks threads")
    )]
    pub(super) &'a dyn Fn(),
);

#[cfg(feature = "file")]
impl Begins<'_> {
    pub(crate) fn tell(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Begins<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begins")
    }
}

/// All who ask outside.
pub(crate) fn all() -> OrderedMap<(u64, Ticket), Asking> {
    ASKING.lock().clone()
}

/// The waits that are to be told of when they become long, each by the hold of its line.
pub(crate) fn told() -> Vec<((u64, Ticket), Arc<Listened>)> {
    let all = ASKING.lock();
    let listened = all.iter().filter_map(|(id, asking)| {
        let listened = asking.listened.as_ref()?;
        listened.is_told().then(|| (*id, Arc::clone(listened)))
    });
    listened.collect()
}

/// Does something if there is none of those, and none can come meanwhile. Tells whether it was done.
pub(crate) fn end_if_untold(end: impl FnOnce()) -> bool {
    let all = ASKING.lock();
    let mut listened = all.values().filter_map(|asking| asking.listened.as_ref());
    let is_untold = !listened.any(|listened| listened.is_told());
    if is_untold {
        end();
    }
    is_untold
}

/// The number of the space's name of each who waits, and how long it has. All are charged for what they
/// have waited so far.
pub(crate) fn waits() -> Vec<(u64, Duration)> {
    let now = Moment::now();
    let all = all();
    let waits = all.iter().filter(|(_, asking)| asking.waits);
    let waits = waits.filter_map(|(id, asking)| {
        let space = match &asking.listened {
            Some(listened) => {
                listened.look();
                listened.space()
            }
            None => name_part(looks::hold(*id)?.space),
        };
        Some((space, asking.times.waited(now)))
    });
    waits.collect()
}

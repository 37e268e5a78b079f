//! A wait outside of the process that somebody listens to: what is told of it, and whom it is blamed
//! on.
//!
//! Nobody says so when another process hands a lock to a third one. So time is blamed on who has the
//! lock by looks: at the begin of the wait, whenever somebody asks for the [`costs`](crate::costs), and when
//! a long wait is told of. Who is seen has had the lock since the last look, or for as long as it says
//! itself; what is left of the time is that of who was seen before, as is all from the last look to
//! the end of the wait.

use crate::costs::{self, Account, Bill, Cost};
use crate::culprit::Culprit;
use crate::holder::Holder;
use crate::observe::listen::Listeners;
use crate::observe::outcome::Outcome;
use crate::observe::tell;
use crate::site::Site;
use crate::sync::ambient::Mutex;
use crate::table::identity::name_part;
use crate::table::looks::HoldOf;
use crate::table::moment::{Moment, Times};
use crate::table::party::Party;
use crate::table::policy::Mode;
use crate::table::watched::{Details, Watched};
use crate::timeline::recorder;
use crate::timeline::rows::{Run, Span, kept_key};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The lock that is asked for.
pub(crate) trait Asked: Send + Sync {
    /// What it is called.
    fn name(&self) -> String;

    /// Who has it, as far as that is known.
    fn holder(&self) -> Option<Holder>;
}

/// A wait that somebody listens to, as those see it who look while it lasts.
pub(crate) struct Listened {
    listeners: Listeners,
    /// The hold of the line by which it waits: what the lock is called, and whose wait it is.
    hold: HoldOf,
    mode: Mode,
    pub(crate) since: Moment,
    lock: Arc<dyn Asked>,
    /// Whether it was told of while it lasted.
    was_long: AtomicBool,
    blame: Mutex<Blame>,
}

/// Whom the wait is blamed on.
struct Blame {
    /// Until when all is charged.
    last: Moment,
    /// Who was seen to have the lock last.
    seen: Culprit,
    /// What each has come to, in nanoseconds.
    sums: Vec<(Culprit, u64)>,
}

impl Listened {
    /// Of who waits by a hold of the line, and has begun to. What is to be told at its end comes
    /// beside.
    pub(super) fn begin(
        listeners: Listeners,
        mut hold: HoldOf,
        mode: Mode,
        times: Times,
        lock: Arc<dyn Asked>,
    ) -> (Arc<Self>, Option<Box<Watched>>) {
        // It waits, and so it doesn't have the lock.
        hold.party = Party {
            waits: Some(times),
            held: None,
            not_come: None,
            ..hold.party
        };
        let holder = lock.holder();
        let seen = holder.as_ref().map_or(Culprit::UNKNOWN, Culprit::from);
        let listened = Self {
            listeners,
            hold,
            mode,
            since: times.since,
            lock,
            was_long: AtomicBool::new(false),
            blame: Mutex::new(Blame {
                last: times.since,
                seen,
                sums: Vec::new(),
            }),
        };
        tell::counted_wait_begins(listened.space());
        let mut watched = listened.watched(holder).map(Box::new);
        if let Some(watched) = &mut watched {
            tell::wait_begins(watched);
        }
        (Arc::new(listened), watched)
    }

    /// The number of the space's name.
    pub(super) const fn space(&self) -> u64 {
        name_part(self.hold.space)
    }

    /// Whether somebody wants to know more of it than how long it was.
    pub(crate) fn is_told(&self) -> bool {
        self.listeners.want_details()
    }

    /// Tells that it has lasted for long, and of who is in the way now.
    pub(crate) fn tell_long(&self, time: Duration) {
        // Relaxed: it is looked at when it has ended, and a text is all that goes by it.
        self.was_long.store(true, Ordering::Relaxed);
        let holder = self.look();
        if let Some(watched) = self.watched(holder) {
            tell::long_wait(&watched, time);
        }
    }

    /// Blames what has gone by until now on who has the lock.
    pub(crate) fn look(&self) -> Option<Holder> {
        let holder = self.lock.holder(); // Foreign code, so not with the mutex.
        let now = Moment::now();
        let seen = holder.as_ref().map(|holder| {
            let since = holder.held_for().map(|held| now.before(held));
            (Culprit::from(holder), since)
        });
        let bill = self.charge(now, seen, false);
        self.post(bill);
        holder
    }

    /// Tells of the end.
    pub(super) fn end(&self, watched: Option<Box<Watched>>, outcome: Outcome) {
        let (from, to) = (self.since, Moment::now());
        let mut bill = self.charge(to, None, true);
        let record = self.hold.party.record;
        bill.wait(record, self.mode, Span { from, to }, outcome);
        self.post(bill);
        if let Some(mut watched) = watched {
            // Relaxed, as above.
            watched.was_long = self.was_long.load(Ordering::Relaxed);
            tell::wait_ends(&mut watched, outcome, to);
        }
    }

    fn post(&self, mut bill: Bill) {
        let (space, key) = (self.space(), &self.hold.key);
        let hash = self.hold.party.place.entry.hash;
        if !bill.sums.is_empty() {
            costs::post(&Account::new(hash, space, key.clone(), &mut bill.sums));
        }
        #[cfg(feature = "metrics")]
        bill.told.tell(space);
        if !bill.over.is_empty() {
            recorder::are_over(Run {
                hash,
                space,
                key: kept_key(key.as_bytes()),
                over: bill.over.to_vec(),
            });
        }
    }

    /// Charges for the time since the last look. `seen` is who has the lock now, and since when, if
    /// that is known; none while it is on its way to the next.
    fn charge(&self, now: Moment, seen: Option<(Culprit, Option<Moment>)>, ends: bool) -> Bill {
        let mut bill = Bill::new(self.since);
        let waiter = self.hold.party.record.site;
        let mut blame = self.blame.lock();
        let (before, last) = (blame.seen, blame.last);
        let (seen, from) = match seen {
            Some((seen, _)) if seen == before || before == Culprit::UNKNOWN => (seen, last),
            Some((seen, since)) => (seen, since.unwrap_or(last).clamp(last, now.max(last))),
            None => (before, last),
        };
        blame.add(&mut bill, before, waiter, last.nanoseconds_until(from));
        blame.add(&mut bill, seen, waiter, from.nanoseconds_until(now));
        (blame.last, blame.seen) = (last.max(now), seen);
        if ends {
            let most = blame.sums.iter().max_by_key(|(_, sum)| *sum);
            let most = most.map_or(seen, |(culprit, _)| *culprit);
            let (nanoseconds, waits) = (0, 1);
            bill.add(most, waiter, Cost { nanoseconds, waits });
        }
        bill
    }

    /// What those want to know who want to know more than how long it is.
    fn watched(&self, holder: Option<Holder>) -> Option<Watched> {
        if !self.is_told() {
            return None;
        }
        let details = Details::outside(self.hold.party.clone(), holder);
        let lock = (self.hold.space, self.hold.key.clone());
        let watched = Watched::new(self.listeners, lock, self.mode, self.since, details);
        Some(watched)
    }
}

impl Blame {
    fn add(&mut self, bill: &mut Bill, culprit: Culprit, waiter: Site, nanoseconds: u64) {
        if nanoseconds == 0 {
            return;
        }
        match self.sums.iter_mut().find(|(known, _)| *known == culprit) {
            Some((_, sum)) => *sum += nanoseconds,
            None => self.sums.push((culprit, nanoseconds)),
        }
        let waits = 0;
        bill.add(culprit, waiter, Cost { nanoseconds, waits });
    }
}

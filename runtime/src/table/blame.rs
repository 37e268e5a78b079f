//! Whom each wait for a lock is blamed on.
//!
//! As long as somebody listens and somebody waits, time is blamed on who has the lock, by their
//! sites, and where there are several on all of them evenly. While nobody has it, it is blamed on the
//! waiter that was called to take it, and doesn't come; and so it is while others have it whom nobody sees, since
//! it is [ajar](super::ajar): they are in nobody's way until that waiter comes. For each site there is a clock that runs as
//! fast as time is blamed on it. A waiter writes down what the clocks show when it comes; when it
//! goes on, the differences are its wait, split by whom it waited for. So a waiter that comes or
//! leaves changes nothing for the others, and a queue of any length costs nothing more.
//!
//! What a wait is split into adds up to the wait exactly. From a hand-over until it comes, a waiter
//! waits for nobody but itself.

use super::moment::Moment;
use super::policy::Mode;
use crate::costs::{Bill, Cost};
use crate::observe::outcome::Outcome;
use crate::site::{Record, Site};
use crate::timeline::rows::Span;
use smallvec::SmallVec;

/// The clocks of a lock.
pub(crate) struct Blame {
    /// How far the clocks were set.
    last: Moment,
    /// How many holders there are.
    holders: u64,
    sites: SmallVec<[Blamed; 2]>,
    /// What waits have come to that are over, until somebody comes for it with the mutex free.
    bill: Bill,
}

/// A clock.
struct Blamed {
    site: Site,
    /// How many of the holders are from here.
    holders: u64,
    nanoseconds: u64,
}

/// What the clocks showed when a waiter came, or was last charged for.
pub(crate) struct Mark {
    at: Moment,
    clocks: SmallVec<[u64; 2]>,
}

impl Blame {
    /// With the holders that there are already. In its box from the beginning, since it is large.
    pub(crate) fn new(now: Moment, holders: impl Iterator<Item = Site>) -> Box<Self> {
        let mut blame = Box::new(Self {
            last: now,
            holders: 0,
            sites: SmallVec::new(),
            bill: Bill::new(now),
        });
        holders.for_each(|site| blame.enter(site));
        blame
    }

    /// There is another holder. The clocks must have been set.
    #[inline]
    pub(crate) fn enter(&mut self, site: Site) {
        self.holders += 1;
        self.clock(site).holders += 1;
    }

    /// A holder has gone. The clocks must have been set.
    #[inline]
    pub(crate) fn leave(&mut self, site: Site) {
        self.holders -= 1;
        self.clock(site).holders -= 1;
    }

    /// Sets the clocks. Without a holder the time is the `called` waiter's.
    #[inline]
    pub(crate) fn set(&mut self, now: Moment, called: impl FnOnce() -> Option<Site>) {
        let nanoseconds = self.last.nanoseconds_until(now);
        self.last = self.last.max(now);
        if self.holders > 0 {
            if let [one] = &mut self.sites[..] {
                one.nanoseconds += nanoseconds; // All of it is theirs.
                return;
            }
            let sites = self.sites.iter_mut();
            for blamed in sites.filter(|blamed| blamed.holders > 0) {
                blamed.nanoseconds += part(nanoseconds, blamed.holders, self.holders);
            }
        } else if let Some(site) = called() {
            self.clock(site).nanoseconds += nanoseconds;
        }
    }

    /// What a waiter writes down that comes now. The clocks must have been set.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            at: self.last,
            clocks: self.sites.iter().map(|one| one.nanoseconds).collect(),
        }
    }

    /// Charges for the wait of a waiter since its mark, which `ends` or goes on. The clocks must
    /// have been set.
    #[inline]
    pub(crate) fn charge(&mut self, mark: &Mark, waiter: Site, ends: bool) {
        if let [one] = &self.sites[..] {
            // As in `set`.
            let cost = cost(mark.at.nanoseconds_until(self.last), u64::from(ends));
            self.bill.add(one.site, waiter, cost);
        } else {
            self.charge_several(mark, waiter, ends);
        }
    }

    /// The same of a lock with several clocks.
    #[inline(never)]
    fn charge_several(&mut self, mark: &Mark, waiter: Site, ends: bool) {
        let mut clocks = mark.clocks_of(&self.sites);
        let Some(mut most) = clocks.next() else {
            return;
        };
        let mut rest = mark.at.nanoseconds_until(self.last);
        rest = rest.saturating_sub(most.1);
        for mut next in clocks {
            rest = rest.saturating_sub(next.1);
            if next.1 > most.1 {
                (most, next) = (next, most);
            }
            self.bill.add(next.0, waiter, cost(next.1, 0));
        }
        // What was lost by rounding is added to the most.
        let (site, time) = (most.0, most.1 + rest);
        self.bill.add(site, waiter, cost(time, u64::from(ends)));
    }

    /// Charges for the time from a hand-over until its waiter has come or gone.
    #[inline]
    pub(crate) fn charge_hand_over(&mut self, since: Moment, now: Moment, waiter: Site) {
        let cost = cost(since.nanoseconds_until(now), 0);
        self.bill.add(waiter, waiter, cost);
    }

    /// Notes how long it took a waiter to come for the lock.
    pub(crate) fn note_hand_over(&mut self, since: Moment, now: Moment) {
        self.bill.hand_over(since.nanoseconds_until(now));
    }

    /// Notes a hold that has ended while somebody waits.
    pub(crate) fn note_hold(&mut self, record: Record, mode: Mode, span: Span) {
        self.bill.hold(record, mode, span);
    }

    /// Notes a wait that has ended to which somebody has listened from its begin on.
    pub(crate) fn note_wait(&mut self, record: Record, mode: Mode, span: Span, outcome: Outcome) {
        self.bill.wait(record, mode, span, outcome);
    }

    /// What is to be written down.
    pub(crate) const fn bill(&mut self) -> &mut Bill {
        &mut self.bill
    }

    #[inline]
    fn clock(&mut self, site: Site) -> &mut Blamed {
        let known = self.sites.iter().position(|one| one.site == site);
        let index = known.unwrap_or_else(|| self.begin(site));
        &mut self.sites[index]
    }

    /// Gives the place of a new clock.
    #[cold]
    fn begin(&mut self, site: Site) -> usize {
        self.sites.push(Blamed {
            site,
            holders: 0,
            nanoseconds: 0,
        });
        self.sites.len() - 1
    }
}

impl Mark {
    /// How long each clock has run since then.
    #[inline]
    fn clocks_of<'a>(&'a self, sites: &'a [Blamed]) -> impl Iterator<Item = (Site, u64)> + use<'a> {
        let ran = |(place, blamed): (usize, &Blamed)| {
            // A clock that wasn't there then has begun at zero.
            let before = self.clocks.get(place).copied().unwrap_or_default();
            (blamed.site, blamed.nanoseconds - before)
        };
        sites.iter().enumerate().map(ran)
    }
}

const fn cost(nanoseconds: u64, waits: u64) -> Cost {
    Cost { nanoseconds, waits }
}

/// `part` of `whole` of a time; rounded down.
const fn part(time: u64, part: u64, whole: u64) -> u64 {
    if part == whole {
        return time; // Nearly always, and a division takes its time.
    }
    time / whole * part + time % whole * part / whole
}

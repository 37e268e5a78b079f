//! What waits for locks have come to, on its way to be written down.
//!
//! A [`Bill`] is what one step of one lock has come to. It is added to the [`Sums`] of that lock with no
//! other mutex than the one that is locked already, and [`Costs`](super::Costs) gets those when others need their
//! place, or when somebody reads. Those holds and waits that the [recorder](crate::timeline::recorder) is to have
//! are kept beside for some time, as they are.

use super::histogram::Histogram;
use super::keys::Keys;
use super::place::Cost;
use crate::culprit::Culprit;
use crate::key::Key;
#[cfg(feature = "metrics")]
use crate::observe::facade;
use crate::observe::listen::{Listeners, is_on};
use crate::observe::outcome::Outcome;
use crate::site::{Record, Site};
use crate::table::moment::Moment;
use crate::table::policy::Mode;
use crate::timeline::rows::{Over, Span, What};
use smallvec::SmallVec;
use std::time::Duration;

/// Whom how much is blamed on that was waited where. Most waits are blamed on the holder, and then, until
/// whoever waits has come, on that one.
type Parts = SmallVec<[(Culprit, Site, Cost); 2]>;

/// What waits for one lock have come to.
#[derive(Debug, Default)]
pub(crate) struct Bill {
    parts: Parts,
    hand_over: Option<Duration>,
    wait: Option<(Outcome, Duration)>,
    /// The holds that were waited for, and the wait, for the recorder.
    pub(crate) over: SmallVec<[Over; 2]>,
}

/// How many holds and waits a bill has at most.
const MOST_OVER: usize = 16;

/// How many parts the sums of one lock have at most.
const MOST_PARTS: usize = 16;

impl Bill {
    pub(crate) fn add(&mut self, holder: impl Into<Culprit>, waiter: Site, cost: Cost) {
        if cost != Cost::default() {
            add(&mut self.parts, holder.into(), waiter, cost);
        }
    }

    pub(crate) const fn hand_over(&mut self, took: Duration) {
        self.hand_over = Some(took);
    }

    /// Adds a wait that has ended.
    pub(crate) fn wait(&mut self, record: Record, mode: Mode, span: Span, outcome: Outcome) {
        self.wait = Some((outcome, span.from.until(span.to)));
        self.is_over(record, mode, span, What::Wait(outcome));
    }

    /// Adds a hold that was waited for. That alone is no bill: it is told with the next one.
    pub(crate) fn hold(&mut self, record: Record, mode: Mode, span: Span) {
        self.is_over(record, mode, span, What::Hold);
    }

    fn is_over(&mut self, record: Record, mode: Mode, span: Span, what: What) {
        if is_on(Listeners::RECORDER) && self.over.len() < MOST_OVER {
            self.over.push(Over {
                record,
                mode,
                span,
                what,
            });
        }
    }

    /// Whether there is nothing to be written down.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty() && !self.is_due()
    }

    /// Whether a wait is over by it. What is blamed on somebody before that is written down with it.
    pub(crate) const fn is_due(&self) -> bool {
        self.hand_over.is_some() || self.wait.is_some()
    }

    /// Begins anew, in the same memory.
    #[cfg(not(feature = "metrics"))]
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
        self.over.clear();
        (self.hand_over, self.wait) = (None, None);
    }

    /// Tells the facade. With no mutex: it is foreign code.
    #[cfg(feature = "metrics")]
    pub(crate) fn tell(&self, space: u64) {
        if let Some(took) = self.hand_over {
            facade::hand_over(space, took);
        }
        for (holder, _, cost) in &self.parts {
            facade::blamed(space, *holder, cost.nanoseconds);
        }
        if let Some((outcome, time)) = self.wait {
            facade::wait_ends(space, outcome, time);
        }
    }
}

fn add(parts: &mut Parts, holder: Culprit, waiter: Site, cost: Cost) {
    let mut known = parts.iter_mut();
    match known.find(|part| (part.0, part.1) == (holder, waiter)) {
        Some((_, _, sum)) => sum.add(cost),
        None => parts.push((holder, waiter, cost)),
    }
}

/// What waits for one lock have come to since it was written down last.
#[derive(Debug)]
pub(crate) struct Sums {
    /// The number of the space's name.
    pub(super) space: u64,
    /// That of the lock. Two of one hash in a space would be counted as one of them.
    hash: u64,
    /// One that is longer than is read isn't kept: the lock may be gone for long until somebody reads.
    pub(super) key: Option<Key>,
    pub(super) since: Moment,
    pub(super) parts: Parts,
    pub(super) waits: SmallVec<[(Outcome, Histogram); 1]>,
    pub(super) hand_overs: Histogram,
}

impl Sums {
    fn new(hash: u64, space: u64, key: &Key) -> Self {
        Self {
            space,
            hash,
            key: Keys::have_room_for(key).then(|| key.clone()),
            since: Moment::of_hold(),
            parts: Parts::new(),
            waits: SmallVec::new(),
            hand_overs: Histogram::NEW,
        }
    }

    /// Those of one bill.
    pub(crate) fn of(hash: u64, space: u64, key: &Key, bill: &Bill) -> Self {
        let mut sums = Self::new(hash, space, key);
        sums.add(bill);
        sums
    }

    /// Whether they are those of the lock of this hash, and have room for more.
    pub(crate) fn have_room_for(&self, hash: u64, space: u64) -> bool {
        (self.hash, self.space) == (hash, space) && self.parts.len() < MOST_PARTS
    }

    pub(crate) fn add(&mut self, bill: &Bill) {
        for (holder, waiter, cost) in &bill.parts {
            add(&mut self.parts, *holder, *waiter, *cost);
        }
        if let Some(took) = bill.hand_over {
            self.hand_overs.add(took);
        }
        if let Some((outcome, time)) = bill.wait {
            let known = self.waits.iter().position(|(known, _)| *known == outcome);
            let place = known.unwrap_or_else(|| {
                self.waits.push((outcome, Histogram::NEW));
                self.waits.len() - 1
            });
            self.waits[place].1.add(time);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn key_that_is_longer_than_is_read_is_not_kept() {
        let kept = |length| {
            let key = Key::new("x".repeat(length));
            let sums = Sums::of(7, 0, &key, &Bill::default());
            assert!(sums.have_room_for(7, 0) && !sums.have_room_for(8, 0));
            sums.key.is_some()
        };
        assert!(kept(64) && !kept(65));
    }
}

//! What waits for one lock have come to, in sums.

use super::histogram::Histogram;
use super::keys::Keys;
use super::place::Cost;
use crate::culprit::Culprit;
use crate::key::Key;
use crate::observe::outcome::Outcome;
use crate::site::Site;
use crate::table::moment::Moment;
use smallvec::SmallVec;
use std::mem;

/// Whom how much is blamed on that was waited where. Most waits are blamed on the holder, and then, until
/// whoever waits has come, on that one.
pub(super) type Parts = SmallVec<[(Culprit, Site, Cost); 2]>;

/// How many parts the sums of one lock have, if it isn't one wait that has more.
const MOST_PARTS: usize = 16;

/// What waits for one lock have come to since it was written down last.
#[derive(Debug)]
pub(crate) struct Sums {
    pub(super) since: Moment,
    pub(super) parts: Parts,
    pub(super) waits: SmallVec<[(Outcome, Histogram); 1]>,
    pub(super) hand_overs: Histogram,
}

impl Sums {
    pub(super) fn new(since: Moment) -> Self {
        Self {
            since,
            parts: SmallVec::new(),
            waits: SmallVec::new(),
            hand_overs: Histogram::NEW,
        }
    }

    #[inline]
    pub(super) fn blame(&mut self, holder: Culprit, waiter: Site, cost: Cost) {
        add(&mut self.parts, holder, waiter, cost);
    }

    #[inline]
    pub(super) fn hand_over(&mut self, nanoseconds: u64) {
        self.hand_overs.add(nanoseconds);
    }

    #[inline]
    pub(super) fn wait(&mut self, outcome: Outcome, nanoseconds: u64) {
        self.waits(outcome).add(nanoseconds);
    }

    #[inline]
    fn waits(&mut self, outcome: Outcome) -> &mut Histogram {
        let known = self.waits.iter().position(|(known, _)| *known == outcome);
        let place = known.unwrap_or_else(|| self.begin(outcome));
        &mut self.waits[place].1
    }

    /// Gives the place of the first waits that end so.
    #[cold]
    fn begin(&mut self, outcome: Outcome) -> usize {
        self.waits.push((outcome, Histogram::NEW));
        self.waits.len() - 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.waits.is_empty() && self.hand_overs == Histogram::NEW
    }

    /// Whether there is no room for another part.
    #[inline]
    pub(crate) fn are_full(&self) -> bool {
        self.parts.len() >= MOST_PARTS
    }

    /// Takes everything out.
    fn take(&mut self) -> Self {
        mem::replace(self, Self::new(self.since))
    }

    /// Adds others of the same lock, and takes everything out of those.
    fn add(&mut self, others: &mut Self) {
        for (holder, waiter, cost) in others.parts.drain(..) {
            add(&mut self.parts, holder, waiter, cost);
        }
        for (outcome, waits) in others.waits.drain(..) {
            self.waits(outcome).merge(&waits);
        }
        self.hand_overs.merge(&others.hand_overs);
        others.hand_overs = Histogram::NEW;
    }
}

#[inline]
pub(super) fn add(parts: &mut Parts, holder: Culprit, waiter: Site, cost: Cost) {
    for part in parts.iter_mut() {
        if (part.0, part.1) == (holder, waiter) {
            part.2.add(cost);
            return;
        }
    }
    begin(parts, holder, waiter, cost);
}

#[cold]
fn begin(parts: &mut Parts, holder: Culprit, waiter: Site, cost: Cost) {
    parts.push((holder, waiter, cost));
}

/// The sums of a lock, by which one it is.
#[derive(Debug)]
pub(crate) struct Account {
    /// The number of the space's name.
    pub(super) space: u64,
    /// That of the lock. Two of one hash in a space would be counted as one of them.
    hash: u64,
    /// One that is longer than is read isn't kept: the lock may be gone for long until somebody reads.
    pub(super) key: Option<Key>,
    pub(super) sums: Sums,
}

impl Account {
    /// Takes everything out of the sums.
    pub(crate) fn new(hash: u64, space: u64, key: Key, sums: &mut Sums) -> Self {
        Self {
            space,
            hash,
            key: Some(key).filter(Keys::have_room_for),
            sums: sums.take(),
        }
    }

    /// Whether it is that of the lock of this hash, and has room for more.
    pub(crate) fn has_room_for(&self, hash: u64, space: u64) -> bool {
        (self.hash, self.space) == (hash, space) && !self.sums.are_full()
    }

    /// Takes everything out of other sums of its lock.
    pub(crate) fn add(&mut self, sums: &mut Sums) {
        self.sums.add(sums);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn key_that_is_longer_than_is_read_is_not_kept() {
        let kept = |length| {
            let key = Key::new("x".repeat(length));
            let account = Account::new(7, 0, key, &mut Sums::new(Moment::now()));
            assert!(account.has_room_for(7, 0) && !account.has_room_for(8, 0));
            account.key.is_some()
        };
        assert!(kept(64) && !kept(65));
    }

    /// Of two locks' sums, or of one lock's in two parts, nothing is lost, nor counted twice.
    #[test]
    fn sums_of_one_lock_are_added_up_and_taken_out() {
        let (site, other) = (Site::here(), Site::here());
        let of = |waits: &[(Site, Outcome, u64)]| {
            let mut sums = Sums::new(Moment::now());
            for (waiter, outcome, nanoseconds) in waits {
                let cost = Cost {
                    nanoseconds: *nanoseconds,
                    waits: 1,
                };
                sums.blame(site.into(), *waiter, cost);
                sums.wait(*outcome, *nanoseconds);
                sums.hand_over(nanoseconds / 2);
            }
            sums
        };
        let waits = [
            (site, Outcome::Acquired, 10),
            (other, Outcome::TimedOut, 20),
            (site, Outcome::Acquired, 40_000),
        ];
        let all = of(&waits);
        let (mut first, mut rest) = (of(&waits[..1]), of(&waits[1..]));
        let mut account = Account::new(7, 0, Key::new("x"), &mut first);
        account.add(&mut rest);
        assert!(first.is_empty() && rest.is_empty());
        account.add(&mut rest);
        let Sums {
            parts,
            waits,
            hand_overs,
            ..
        } = account.sums;
        assert_eq!(
            (parts, waits, hand_overs),
            (all.parts, all.waits, all.hand_overs)
        );
    }
}

//! Who gets how much of one lock that is always wanted.
//!
//! Each of a few threads takes the lock, keeps it for a millisecond in which it sleeps,
//! as for I/O, and takes it again at once. A lock that lets whoever is running have it
//! gives nearly everything to one of them.

use crate::contender::{Contender, Key};
use crate::figure;
use crate::measure::{self, Plan};
use crate::peers::ParkingLot;
use crate::subject::{FairGuard, GlobalGuard};
use crate::target::{Reach, Target, Unit};
use keyed_lock::sync::KeyedLock;
use lockable::LockPool;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

pub(super) const THREADS: usize = 4;
const HELD: Duration = Duration::from_millis(1);

/// What the one with most acquisitions had, and the one with fewest.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    pub(super) most: u32,
    pub(super) fewest: u32,
}

impl Shares {
    pub(super) fn of(mut counts: [u32; THREADS]) -> Self {
        counts.sort_unstable();
        Self {
            most: counts[THREADS - 1],
            fewest: counts[0],
        }
    }

    pub(super) fn ratio(self) -> f64 {
        f64::from(self.most) / f64::from(self.fewest)
    }
}

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let key = Key::uuid(0);
    let (bare, keyed_lock) = (ParkingLot::<1>::new(), KeyedLock::<String>::new());
    let lockable = LockPool::<String>::new();
    let contenders: [&dyn Fn() -> Shares; 5] = [
        &|| shares(&GlobalGuard, &key, plan.fairness),
        &|| shares(&FairGuard, &key, plan.fairness),
        &|| shares(&bare, &key, plan.fairness),
        &|| shares(&keyed_lock, &key, plan.fairness),
        &|| shares(&lockable, &key, plan.fairness),
    ];
    let mut rounds = [const { Vec::new() }; 5];
    for _ in 0..plan.repeats {
        for (shares, contender) in rounds.iter_mut().zip(contenders) {
            shares.push(contender());
        }
    }
    let [default, fair, bare, keyed_lock, lockable] = rounds.map(middle);
    let target = |space, shares: Shares, others| Target {
        what: format!("fairness, {THREADS} threads, 1 ms held, {space}: most / fewest"),
        reach: Reach::AtMost(1.3, Unit::Times),
        measured: shares.ratio(),
        details: format!("{} to {} acquisitions{others}", shares.most, shares.fewest),
    };
    let others = format!(
        "; bare parking_lot {}, keyed-lock {}, lockable {}",
        figure::times(bare.ratio()),
        figure::times(keyed_lock.ratio()),
        figure::times(lockable.ratio()),
    );
    vec![
        target("default space", default, others),
        target("`.fair()` space", fair, String::new()),
    ]
}

fn shares(contender: &impl Contender, key: &Key, length: Duration) -> Shares {
    let counts = [const { AtomicU32::new(0) }; THREADS];
    measure::at_once(THREADS, length, |thread, over| {
        let mut acquisitions = 0;
        while acquisitions == 0 || !over.load(Ordering::Relaxed) {
            contender.locked(key, || thread::sleep(HELD));
            acquisitions += 1;
        }
        // Relaxed: read after the threads have been joined.
        counts[thread].store(acquisitions, Ordering::Relaxed);
        acquisitions
    });
    Shares::of(counts.map(AtomicU32::into_inner))
}

/// The round with the middle ratio.
pub(super) fn middle(mut rounds: Vec<Shares>) -> Shares {
    rounds.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    rounds[rounds.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_a_share() {
        let shares = shares(
            &ParkingLot::<1>::new(),
            &Key::uuid(0),
            Duration::from_millis(20),
        );
        assert!(shares.fewest >= 1 && shares.ratio() >= 1.0);
    }

    #[test]
    fn middle_is_by_ratio() {
        let round = |most, fewest| Shares { most, fewest };
        let middle = middle(vec![round(9, 1), round(100, 50), round(30, 10)]);
        assert_eq!((middle.most, middle.fewest), (30, 10));
    }
}

//! What is counted by who keeps others waiting, and by where in the code those wait.

use crate::culprit::Culprit;
use crate::ordered::Ranked;
use crate::site::Site;

/// A holder, and the place in the code of who waited for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pair {
    pub(crate) space: u64,
    pub(crate) holder: Culprit,
    pub(crate) waiter: Site,
}

/// A holder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) space: u64,
    /// `None` if it isn't known.
    pub(crate) holder: Option<Culprit>,
}

/// Time that was waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) nanoseconds: u64,
    /// How many waits have ended that were this one's more than any other's.
    pub(crate) waits: u64,
}

impl Cost {
    pub(crate) const fn add(&mut self, other: Self) {
        self.nanoseconds = self.nanoseconds.saturating_add(other.nanoseconds);
        self.waits += other.waits;
    }

    /// What is left without a part of it.
    pub(crate) const fn without(self, part: Self) -> Self {
        Self {
            nanoseconds: self.nanoseconds.saturating_sub(part.nanoseconds),
            waits: self.waits.saturating_sub(part.waits),
        }
    }
}

// By address, which is as good as any order.
impl Ranked for Pair {
    fn rank(self) -> [u64; 4] {
        let waiter = self.waiter.address() as u64;
        [self.space, self.holder.number(), waiter, 0]
    }
}

impl Ranked for Place {
    fn rank(self) -> [u64; 4] {
        [self.space, self.holder.map_or(0, Culprit::number), 0, 0]
    }
}

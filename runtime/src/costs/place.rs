//! What is counted by place in the code.

use crate::ordered::Ranked;
use crate::site::Site;

/// A holder's place in the code, and that of who waited for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pair {
    pub(crate) space: u64,
    pub(crate) holder: Site,
    pub(crate) waiter: Site,
}

/// A place in the code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) space: u64,
    /// `None` if it isn't known.
    pub(crate) site: Option<Site>,
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
        let [holder, waiter] = [self.holder, self.waiter].map(|site| site.address() as u64);
        [self.space, holder, waiter, 0]
    }
}

impl Ranked for Place {
    fn rank(self) -> [u64; 4] {
        let site = self.site.map_or(0, Site::address);
        [self.space, site as u64, 0, 0]
    }
}

//! What the facade of the crate `metrics` is told of a lock: each wait as it ends.

use super::place::Cost;
use super::sums::{Parts, add};
use crate::culprit::Culprit;
use crate::observe::facade;
use crate::observe::outcome::Outcome;
use crate::site::Site;
use std::time::Duration;

/// What one step of one lock has come to, and those before in which no wait has ended.
#[derive(Debug, Default)]
pub(crate) struct Told {
    parts: Parts,
    /// In nanoseconds, as all times here.
    hand_over: Option<u64>,
    wait: Option<(Outcome, u64)>,
}

impl Told {
    pub(super) fn blame(&mut self, holder: Culprit, waiter: Site, cost: Cost) {
        add(&mut self.parts, holder, waiter, cost);
    }

    pub(super) const fn hand_over(&mut self, nanoseconds: u64) {
        self.hand_over = Some(nanoseconds);
    }

    pub(super) const fn wait(&mut self, outcome: Outcome, nanoseconds: u64) {
        self.wait = Some((outcome, nanoseconds));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty() && !self.is_due()
    }

    /// Whether a wait is over by it. What is blamed on somebody before that is told with it.
    pub(crate) const fn is_due(&self) -> bool {
        self.hand_over.is_some() || self.wait.is_some()
    }

    /// Tells it. With no mutex: it is foreign code.
    pub(crate) fn tell(&self, space: u64) {
        if let Some(took) = self.hand_over {
            facade::hand_over(space, Duration::from_nanos(took));
        }
        for (holder, _, cost) in &self.parts {
            facade::blamed(space, *holder, cost.nanoseconds);
        }
        if let Some((outcome, time)) = self.wait {
            facade::wait_ends(space, outcome, Duration::from_nanos(time));
        }
    }
}

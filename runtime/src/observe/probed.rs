//! What tracers are told of a wait, by the [probes](crate::observe#probes).

use super::outcome::Outcome;
#[cfg(feature = "usdt")]
use super::probes;
use crate::name::Taken;
#[cfg(feature = "usdt")]
use crate::table::moment::Moment;
use crate::table::place::Ticket;

/// A wait whose end tracers are to be told of.
#[derive(Debug, Default)]
pub(crate) struct Probed {
    #[cfg(feature = "usdt")]
    wait: Option<(Ticket, Moment)>,
}

#[cfg(feature = "usdt")]
impl Probed {
    /// A wait has begun. `lock` is asked if a tracer is attached.
    pub(crate) fn begin(
        ticket: impl FnOnce() -> Ticket,
        lock: impl FnOnce() -> Option<Taken>,
    ) -> Self {
        let ticket = ticket();
        probes::wait_begins(ticket, lock);
        Self {
            wait: Some((ticket, Moment::now())),
        }
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        if let Some((ticket, since)) = self.wait.take() {
            probes::wait_ends(ticket, outcome, since);
        }
    }
}

#[cfg(not(feature = "usdt"))]
impl Probed {
    pub(crate) fn begin(_: impl FnOnce() -> Ticket, _: impl FnOnce() -> Option<Taken>) -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "it has nothing without the feature")]
    pub(crate) fn end(&mut self, _: Outcome) {}
}

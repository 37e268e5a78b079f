//! What tracers are told of a wait, by the [probes](crate::observe#probes).

use crate::observe::outcome::Outcome;
#[cfg(feature = "usdt")]
use crate::observe::probes;
use crate::table::place::Place;
#[cfg(feature = "usdt")]
use crate::table::{self, moment::Moment, place::Ticket};

/// A wait whose end tracers are to be told of.
#[derive(Debug, Default)]
pub(super) struct Probed {
    #[cfg(feature = "usdt")]
    wait: Option<(Ticket, Moment)>,
}

#[cfg(feature = "usdt")]
impl Probed {
    pub(super) fn begin(place: Place) -> Self {
        probes::wait_begins(place.ticket, || table::awaited(place));
        Self {
            wait: Some((place.ticket, Moment::now())),
        }
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        if let Some((ticket, since)) = self.wait.take() {
            probes::wait_ends(ticket, outcome, since);
        }
    }
}

#[cfg(not(feature = "usdt"))]
impl Probed {
    pub(super) fn begin(_: Place) -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "it has nothing without the feature")]
    pub(super) fn end(&mut self, _: Outcome) {}
}

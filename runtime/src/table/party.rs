//! Who has or awaits a lock, as it was at one moment.

use super::moment::{Moment, Times};
use super::place::Place;
use crate::holder::{Holder, Shown, Sought};
use crate::site::Record;
use std::sync::Arc;
use std::time::Duration;

/// A holder or a waiter, as it was at a moment.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) place: Place,
    pub(crate) record: Record,
    pub(crate) label: Option<Arc<str>>,
    /// Since when it has had the lock at least.
    pub(crate) held: Option<Moment>,
    /// Since when it waits, and until when.
    pub(crate) waits: Option<Times>,
    /// Since when it could have come for the lock, and hasn't.
    pub(crate) not_come: Option<Moment>,
}

impl Party {
    /// Looks up who it is.
    pub(crate) fn show(&self, now: Moment) -> Holder {
        self.clone().seek(now).find()
    }

    /// Who it is, to be looked up when somebody asks.
    #[inline]
    fn seek(self, now: Moment) -> Sought {
        let until_now = |moment: Moment| moment.until(now);
        let shown = Shown {
            label: self.label,
            held: self.held.map(until_now),
            not_polled: self.not_come.map(until_now),
        };
        Sought::new(self.record, shown)
    }

    /// The same at this moment. Where nothing is known of any other, no clock is looked at, which
    /// takes as long as a refusal otherwise.
    #[inline]
    pub(crate) fn seek_now(self) -> Sought {
        let is_timed = self.held.is_some() || self.not_come.is_some();
        self.seek(if is_timed {
            Moment::now()
        } else {
            Moment::UNUSED
        })
    }

    /// How long it has waited.
    pub(crate) fn waited(&self, now: Moment) -> Duration {
        self.waits.map_or(Duration::ZERO, |times| times.waited(now))
    }

    /// How much time is left until it gives up, if it does.
    pub(crate) fn left(&self, now: Moment) -> Option<Duration> {
        self.waits?.left(now)
    }
}

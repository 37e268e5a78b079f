//! What waits for locks have come to, on its way to be written down.
//!
//! A lock that somebody waits for has a [`Bill`]. What each wait comes to is added to it under the mutex that is locked
//! already, so it is a few additions, and nothing has to be looked for. When the last one who waits has gone, or
//! there is no room for more, or somebody reads, the lock's [`Account`](super::Account) gets it, which stays when the lock is
//! free; and [`Costs`](super::Costs) gets that when others need its place, or when somebody reads. Those holds and
//! waits that the [recorder](crate::timeline::recorder) is to have are kept beside for some time, as they are.

use super::place::Cost;
use super::sums::Sums;
#[cfg(feature = "metrics")]
use super::told::Told;
use crate::culprit::Culprit;
use crate::observe::listen::{Listeners, is_on};
use crate::observe::outcome::Outcome;
use crate::site::{Record, Site};
use crate::table::moment::Moment;
use crate::table::policy::Mode;
use crate::timeline::rows::{Over, Run, Span, What};
use smallvec::SmallVec;

/// What waits for one lock have come to.
#[derive(Debug)]
pub(crate) struct Bill {
    pub(crate) sums: Sums,
    /// The holds that were waited for, and the waits, for the recorder.
    pub(crate) over: SmallVec<[Over; 2]>,
    /// What the facade is to be told.
    #[cfg(feature = "metrics")]
    pub(crate) told: Told,
}

impl Bill {
    /// Of waits from this moment on.
    pub(crate) fn new(since: Moment) -> Self {
        Self {
            sums: Sums::new(since),
            over: SmallVec::new(),
            #[cfg(feature = "metrics")]
            told: Told::default(),
        }
    }

    #[inline]
    pub(crate) fn add(&mut self, holder: impl Into<Culprit>, waiter: Site, cost: Cost) {
        let holder = holder.into();
        if cost != Cost::default() {
            self.sums.blame(holder, waiter, cost);
            #[cfg(feature = "metrics")]
            self.told.blame(holder, waiter, cost);
        }
    }

    /// It took a waiter so many nanoseconds to come for the lock.
    #[inline]
    pub(crate) fn hand_over(&mut self, nanoseconds: u64) {
        self.sums.hand_over(nanoseconds);
        #[cfg(feature = "metrics")]
        self.told.hand_over(nanoseconds);
    }

    /// Adds a wait that has ended.
    #[inline]
    pub(crate) fn wait(&mut self, record: Record, mode: Mode, span: Span, outcome: Outcome) {
        let nanoseconds = span.from.nanoseconds_until(span.to);
        self.sums.wait(outcome, nanoseconds);
        #[cfg(feature = "metrics")]
        self.told.wait(outcome, nanoseconds);
        self.is_over(record, mode, span, What::Wait(outcome));
    }

    /// Adds a hold that was waited for.
    #[inline]
    pub(crate) fn hold(&mut self, record: Record, mode: Mode, span: Span) {
        self.is_over(record, mode, span, What::Hold);
    }

    #[inline]
    fn is_over(&mut self, record: Record, mode: Mode, span: Span, what: What) {
        if is_on(Listeners::RECORDER) {
            self.over.push(Over {
                record,
                mode,
                span,
                what,
            });
        }
    }

    /// Whether there are as many holds and waits as the recorder gets at a time.
    #[inline]
    pub(crate) fn is_run(&self) -> bool {
        self.over.len() >= Run::LENGTH
    }
}

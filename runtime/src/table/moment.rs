//! Moments, as locks remember them: in eight bytes, since many locks are to fit in little memory.
//!
//! The clock is read only where somebody waits, or looks.

use crate::sync::nanoseconds;
use std::num::NonZeroU64;
use std::time::Duration;

/// A moment: nanoseconds since the machine has started, or else since the process first looked at the clock
/// here, and one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(NonZeroU64);

/// What is known of when a hold began.
///
/// | bits | what they say |
/// |---|---|
/// | all zero | nothing |
/// | 63 | whether it was handed to a waiter that hasn't come for it |
/// | 0 to 62 | the [`Moment`] from which on it has lasted at least |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since(u64);

/// When a wait began, and when it ends, if it can be given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) since: Moment,
    until: Option<Moment>,
}

impl Times {
    /// Of who begins to wait, and has so much time left.
    pub(crate) fn new(since: Moment, left: Option<Duration>) -> Self {
        let until = left.map(|left| since.after(left));
        Self { since, until }
    }

    pub(crate) fn waited(self, now: Moment) -> Duration {
        self.since.until(now)
    }

    /// How much time is left until it gives up, if it does.
    pub(crate) fn left(self, now: Moment) -> Option<Duration> {
        Some(now.until(self.until?))
    }
}

const HANDED_OVER: u64 = 1 << 63;

impl Moment {
    /// Where nothing is compared with it.
    pub(crate) const UNUSED: Self = Self(NonZeroU64::MIN);

    pub(crate) fn now() -> Self {
        Self(NonZeroU64::MIN.saturating_add(nanoseconds()))
    }

    /// When a hold has begun. No model looks at it, and each look at the clock is one more step
    /// of a model.
    pub(crate) fn of_hold() -> Self {
        if cfg!(all(test, loom)) {
            return Self::UNUSED;
        }
        Self::now()
    }

    /// How long it is since then.
    pub(crate) const fn until(self, now: Self) -> Duration {
        Duration::from_nanos(self.nanoseconds_until(now))
    }

    /// So much later.
    pub(crate) fn after(self, time: Duration) -> Self {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }

    /// So much earlier, or the first of all.
    pub(crate) fn before(self, time: Duration) -> Self {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(NonZeroU64::new(self.0.get().saturating_sub(nanoseconds)).unwrap_or(NonZeroU64::MIN))
    }

    /// What [`Moment::nanoseconds`] has given.
    pub(crate) fn of_nanoseconds(number: u64) -> Self {
        Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }

    /// As a number, which is never 0.
    pub(crate) const fn nanoseconds(self) -> u64 {
        self.0.get()
    }

    /// The same as [`until`](Self::until), in nanoseconds.
    pub(crate) const fn nanoseconds_until(self, now: Self) -> u64 {
        now.0.get().saturating_sub(self.0.get())
    }
}

impl Since {
    pub(crate) const UNKNOWN: Self = Self(0);

    pub(crate) const fn at(Moment(moment): Moment) -> Self {
        Self(moment.get() & !HANDED_OVER)
    }

    /// Of a hold that was handed to a waiter, until that [has come](Since::come).
    pub(crate) const fn handed_over(moment: Moment) -> Self {
        Self(Self::at(moment).0 | HANDED_OVER)
    }

    pub(crate) fn moment(self) -> Option<Moment> {
        NonZeroU64::new(self.0 & !HANDED_OVER).map(Moment)
    }

    /// When it was handed to a waiter, if that hasn't come for it.
    pub(crate) fn not_come_since(self) -> Option<Moment> {
        self.moment().filter(|_| self.0 & HANDED_OVER != 0)
    }

    /// The waiter that it was handed to goes on.
    pub(crate) fn come(&mut self) {
        self.0 &= !HANDED_OVER;
    }

    /// Remembers a moment, unless there is an earlier one.
    pub(crate) fn is_at_least(&mut self, moment: Moment) {
        if *self == Self::UNKNOWN {
            *self = Self::at(moment);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn moment_of_a_hold_is_kept_when_its_waiter_has_come() {
        let (moment, later) = (Moment::now(), Moment::now());
        let mut since = Since::handed_over(moment);
        assert_eq!(since.not_come_since(), Some(moment));
        since.come();
        since.is_at_least(later);
        assert_eq!(
            (since.moment(), since.not_come_since()),
            (Some(moment), None)
        );
        let mut unknown = Since::UNKNOWN;
        unknown.come();
        assert_eq!(unknown.moment(), None);
        unknown.is_at_least(later);
        assert_eq!(unknown.moment(), Some(later));
    }
}

//! The clock by which a hold is lost, in numbers.

use lockutils::engine::boottime;
use std::time::Duration;

/// Nanoseconds since some moment before this process began.
pub(crate) fn now() -> u64 {
    #[cfg(test)]
    if let Some(now) = SIMULATED.get() {
        return now;
    }
    u64::try_from(boottime().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
thread_local! {
    /// What the clock says in this thread, which simulates a process.
    static SIMULATED: std::cell::Cell<Option<u64>> = const { std::cell::Cell::new(None) };
}

/// Has the clock say this, in this thread, until it is said otherwise.
#[cfg(test)]
pub(crate) fn simulate(now: u64) {
    SIMULATED.set(Some(now));
}

/// How long it is until a moment of this clock.
pub(crate) fn until(moment: u64) -> Duration {
    Duration::from_nanos(moment.saturating_sub(now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_goes_on() {
        let start = now();
        let moment = start + 1_000_000_000;
        assert!(until(moment) <= Duration::from_secs(1));
        assert!(until(moment) > Duration::ZERO);
        assert_eq!(until(start), Duration::ZERO);
    }
}

//! The clock by which a hold is lost: one that goes on while the machine sleeps, where the system
//! has such a one.

use std::time::Duration;

/// Nanoseconds since some moment before this process began.
#[cfg(target_os = "linux")]
pub(crate) fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let [seconds, rest] = [time.tv_sec, time.tv_nsec].map(|part| part.try_into().unwrap_or(0));
    u64::saturating_add(u64::saturating_mul(seconds, 1_000_000_000), rest)
}

/// Nanoseconds since some moment.
#[cfg(not(target_os = "linux"))]
pub(crate) fn now() -> u64 {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
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

//! The clock by which a hold of a server is lost: one that goes on while the machine sleeps.

use std::time::Duration;

/// The time since some moment before this process began, by a clock that goes on while the machine
/// sleeps, where the system has such a one: by it an engine knows when a lease is over.
///
/// # Examples
///
/// ```
/// use lockutils::engine::boottime;
///
/// let start = boottime();
/// assert!(boottime() >= start);
/// ```
#[cfg(target_os = "linux")]
#[must_use]
pub fn boottime() -> Duration {
    let now = crate::clock::read(libc::CLOCK_BOOTTIME);
    let seconds = now.tv_sec.try_into().unwrap_or(0);
    Duration::new(seconds, now.tv_nsec.try_into().unwrap_or(0))
}

/// The time since some moment.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn boottime() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

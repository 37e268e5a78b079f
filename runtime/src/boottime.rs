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
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    #[expect(
        unsafe_code,
        reason = "std's clock stands still while the machine sleeps"
    )]
    // SAFETY: there is room for what is written.
    unsafe {
        libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now)
    };
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

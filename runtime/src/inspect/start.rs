//! When this process started.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A number that tells this process from an earlier one with the same id, and the moment.
pub(super) fn of_process() -> (u64, SystemTime) {
    of_system().unwrap_or_else(|| {
        // Where the system doesn't tell: when it was first asked.
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        (since.as_secs(), now)
    })
}

/// What Linux has: ticks of a clock that began with the system, and when that was.
fn of_system() -> Option<(u64, SystemTime)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind its name, which is in parentheses and may have anything in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields.split_whitespace().nth(19)?.parse().ok()?;
    let system = fs::read_to_string("/proc/stat").ok()?;
    let mut lines = system.lines();
    let booted = lines.find_map(|line| line.strip_prefix("btime "))?;
    let booted = Duration::from_secs(booted.trim().parse().ok()?);
    let since_boot = Duration::from_millis(ticks * 1000 / super::sys::ticks_a_second()?);
    Some((ticks, UNIX_EPOCH + booted + since_boot))
}

/// A moment as RFC 3339 has it, in UTC and to the second.
pub(super) fn rfc3339(moment: SystemTime) -> String {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let (year, month, day) = date(seconds / (24 * 3600));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date of a day, counted from 1970. Years are taken to begin in March, so that a leap day is
/// the last one.
const fn date(day: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468;
    const FOUR_CENTURIES: u64 = 146_097;
    let day = day + DAYS_TO_1970;
    let (era, day) = (day / FOUR_CENTURIES, day % FOUR_CENTURIES);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (era * 400 + year + is_next_year as u64, month, day)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_796_958_600, "2026-12-11T03:10:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            let moment = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(moment), text);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn process_has_started_and_not_long_ago() {
        let (ticks, started) = of_system().expect("the system tells");
        assert!(ticks > 0);
        let ago = started.elapsed().unwrap_or_default();
        assert!(ago < Duration::from_secs(24 * 3600), "{ago:?}");
    }
}

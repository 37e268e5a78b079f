//! What a process owes to those who only try now and then.
//!
//! Python's programs don't wait in the kernel: each of them tries ten times a second. Who
//! takes the lock again as soon as it was released leaves it free for microseconds, and
//! they never find it so. Since they try at any moment, it matters only what part of the
//! time the lock is free. So a process leaves it free for a third of the time that it holds
//! it. Gaps between its holds count; where they are too short, it waits for the rest of what
//! it owes before it takes the lock again.

use std::time::{Duration, Instant};

/// What part of a hold is owed.
const PART: u32 = 3;

/// What is worth waiting for; less than that is owed on.
const LEAST: Duration = Duration::from_millis(1);

/// What is owed at most: by then everybody has tried.
const MOST: Duration = Duration::from_millis(100);

/// For how long a process is to leave a lock free.
#[derive(Debug, Default)]
pub(super) struct Courtesy {
    owed: Duration,
    /// When the lock was last taken or released.
    since: Option<Instant>,
}

impl Courtesy {
    pub(super) fn taken(&mut self, now: Instant) {
        let free = self.since.map_or(MOST, |released| now - released);
        self.owed = self.owed.saturating_sub(free);
        self.since = Some(now);
    }

    /// Until when it is others' turn, if it is.
    pub(super) fn released(&mut self, now: Instant) -> Option<Instant> {
        let held = self.since.map_or(Duration::ZERO, |taken| now - taken);
        self.owed = MOST.min(self.owed + held / PART);
        self.since = Some(now);
        (self.owed >= LEAST).then(|| now + self.owed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For how long others have their turn after a last hold, one after holds and gaps, in
    /// microseconds.
    fn turn(holds_and_gaps: &[(u64, u64)], hold: u64) -> Option<Duration> {
        let mut courtesy = Courtesy::default();
        let mut now = Instant::now();
        for (hold, gap) in holds_and_gaps {
            courtesy.taken(now);
            now += Duration::from_micros(*hold);
            courtesy.released(now);
            now += Duration::from_micros(*gap);
        }
        courtesy.taken(now);
        now += Duration::from_micros(hold);
        courtesy.released(now).map(|until| until - now)
    }

    #[test]
    fn third_of_a_hold_is_owed() {
        assert_eq!(turn(&[], 9000), Some(Duration::from_millis(3)));
    }

    #[test]
    fn short_holds_add_up() {
        assert_eq!(turn(&[], 600), None);
        let five = [(600, 0); 5];
        assert_eq!(turn(&five, 600), Some(Duration::from_micros(1200)));
    }

    #[test]
    fn gaps_count() {
        assert_eq!(turn(&[(600, 300); 50], 600), None);
        assert_eq!(
            turn(&[(9000, 2000)], 600),
            Some(Duration::from_micros(1200))
        );
    }

    #[test]
    fn no_more_is_owed_than_until_everybody_has_tried() {
        assert_eq!(turn(&[], 60_000_000), Some(MOST));
    }
}

//! Marks that claims are done with, on which questions for them that come late founder.
//!
//! A release whose claim has no key leaves one, unless each question for the claim was answered. It is of the session's
//! lease, which may live for as long as the process; so there are [`MAX_MARKS`], and a release that leaves one more deletes
//! the oldest with it. Not one that is younger than [`MIN_AGE`], as there may be many of a network that fails for a moment. So
//! a question would have to be under way for as long as it takes to leave all the others behind it.
//!
//! A database that is full takes no mark, as it takes no acquisition, but it deletes. So a release does without one there: a
//! question that comes when there is space again takes the lock for nobody, until the agent releases the claim once more, a
//! lease later.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many marks a session leaves, but for young ones.
const MAX_MARKS: usize = 256;

/// How old they are at least before they are deleted.
const MIN_AGE: Duration = Duration::from_secs(60);

/// How many are deleted at a time.
const BATCH: usize = 8;

/// The marks of a session.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<VecDeque<Mark>>);

#[derive(Debug)]
struct Mark {
    key: Vec<u8>,
    since: Instant,
}

impl Marks {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Mark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are to be deleted with one that is about to be left.
    pub(crate) fn old(&self, mark: &[u8], now: Instant) -> Vec<Vec<u8>> {
        let marks = self.lock();
        let too_many = (marks.len() + 1).saturating_sub(MAX_MARKS).min(BATCH);
        let oldest = marks.iter().take(too_many);
        let old = oldest.filter(|old| now.duration_since(old.since) >= MIN_AGE && old.key != mark);
        old.map(|old| old.key.clone()).collect()
    }

    /// The mark was left, and these were deleted.
    pub(crate) fn left(&self, mark: Vec<u8>, deleted: &[Vec<u8>], now: Instant) {
        let mut marks = self.lock();
        marks.retain(|old| old.key != mark && !deleted.contains(&old.key));
        marks.push_back(Mark {
            key: mark,
            since: now,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves marks of these numbers, one in so much time, and gives how many there are then.
    fn leave(
        marks: &Marks,
        numbers: std::ops::Range<u32>,
        now: &mut Instant,
        pause: Duration,
    ) -> usize {
        for number in numbers {
            let mark = number.to_be_bytes().to_vec();
            let old = marks.old(&mark, *now);
            marks.left(mark, &old, *now);
            *now += pause;
        }
        marks.lock().len()
    }

    #[test]
    fn oldest_go_where_there_are_too_many() {
        let (marks, mut now) = (Marks::default(), Instant::now());
        assert_eq!(leave(&marks, 0..1000, &mut now, MIN_AGE), MAX_MARKS);
        let first = marks.lock()[0].key.clone();
        assert_eq!(first, 744_u32.to_be_bytes());
        // One that is left again isn't deleted, nor is it there twice.
        assert!(marks.old(&first, now).is_empty());
        assert_eq!(leave(&marks, 744..745, &mut now, MIN_AGE), MAX_MARKS);
        assert_eq!(marks.lock()[0].key, 745_u32.to_be_bytes());
    }

    #[test]
    fn young_ones_stay_and_go_later() {
        let (marks, mut now) = (Marks::default(), Instant::now());
        assert_eq!(leave(&marks, 0..1000, &mut now, Duration::ZERO), 1000);
        now += MIN_AGE;
        assert_eq!(leave(&marks, 1000..1001, &mut now, MIN_AGE), 1001 - BATCH);
        assert_eq!(leave(&marks, 1001..1300, &mut now, MIN_AGE), MAX_MARKS);
    }
}

//! Proof of exclusion: intervals that must not overlap.
//!
//! One counter gives all stamps, so they are in one order whatever thread takes
//! them. A stay begins with a stamp taken just after the lock was acquired and
//! ends with one taken just before it is released. If the lock excludes, the stays
//! come one after the other; any overlap, however short, shows in the stamps. Only
//! shared stays may overlap, and only each other.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Records who was inside a lock from when to when.
///
/// # Examples
///
/// ```
/// let recorder = lockutils_conformance::Recorder::new();
/// {
///     let _guard = lockutils::lock("recorder");
///     let _stay = recorder.enter(); // Ends before the guard is dropped.
/// }
/// recorder.assert_exclusive(1);
/// ```
#[derive(Debug, Default)]
pub struct Recorder {
    clock: AtomicU64,
    ended: Mutex<Vec<Interval>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Interval {
    start: u64,
    end: u64,
    shared: bool,
}

/// A stay inside the lock; dropping it ends it.
#[derive(Debug)]
#[must_use = "a stay ends when it is dropped"]
pub struct Stay<'a> {
    recorder: &'a Recorder,
    start: u64,
    shared: bool,
}

impl Recorder {
    /// Makes a recorder, for one lock.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            clock: AtomicU64::new(0),
            ended: Mutex::new(Vec::new()),
        }
    }

    /// Begins a stay; call this just after the lock was acquired.
    pub fn enter(&self) -> Stay<'_> {
        self.stay(false)
    }

    /// Begins a stay that others of its kind may overlap.
    pub fn enter_shared(&self) -> Stay<'_> {
        self.stay(true)
    }

    fn stay(&self, shared: bool) -> Stay<'_> {
        let start = self.stamp();
        Stay {
            recorder: self,
            start,
            shared,
        }
    }

    fn stamp(&self) -> u64 {
        // Relaxed: all stamps are changes of one atomic, which have one order. A
        // stronger ordering could hide that the lock itself orders nothing.
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// Checks that no two stays overlapped, shared ones aside, and that there were as
    /// many as expected.
    ///
    /// # Panics
    ///
    /// With the overlapping stays, or with the wrong count.
    pub fn assert_exclusive(&self, expected: usize) {
        let mut stays = self.ended.lock().unwrap().clone();
        stays.sort_unstable();
        // Those that ended last, of the stays so far.
        let (mut exclusive, mut any) = (None, None);
        for second in stays.iter().copied() {
            let before = if second.shared { exclusive } else { any };
            if let Some(first @ Interval { end, .. }) = before {
                assert!(
                    end < second.start,
                    "two were inside at once: {first:?} and {second:?}"
                );
            }
            let last = any.filter(|last: &Interval| last.end > second.end);
            any = last.or(Some(second));
            if !second.shared {
                exclusive = Some(second);
            }
        }
        assert_eq!(stays.len(), expected, "so many stays");
    }

    /// The greatest number of stays at one moment.
    ///
    /// # Panics
    ///
    /// If a thread has panicked while it recorded.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        let stays = self.ended.lock().unwrap();
        let mut starts: Vec<_> = stays.iter().map(|stay| stay.start).collect();
        let mut ends: Vec<_> = stays.iter().map(|stay| stay.end).collect();
        starts.sort_unstable();
        ends.sort_unstable();
        let at_start = |(before, start)| before + 1 - ends.partition_point(|end| end < start);
        starts.iter().enumerate().map(at_start).max().unwrap_or(0)
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        let end = self.recorder.stamp();
        let interval = Interval {
            start: self.start,
            end,
            shared: self.shared,
        };
        self.recorder.ended.lock().unwrap().push(interval);
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.shared { "shared " } else { "" };
        write!(f, "{kind}{}..={}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn stays_one_after_the_other_pass() {
        let recorder = Recorder::new();
        for _ in 0..3 {
            let _stay = recorder.enter();
        }
        recorder.assert_exclusive(3);
    }

    #[test]
    #[should_panic(expected = "two were inside at once: 0..=2 and 1..=3")]
    fn overlap_is_caught() {
        let recorder = Recorder::new();
        let first = recorder.enter();
        let second = recorder.enter();
        drop(first);
        drop(second);
        recorder.assert_exclusive(2);
    }

    #[test]
    #[should_panic(expected = "two were inside at once: 0..=3 and 1..=2")]
    fn stay_within_another_is_caught() {
        let recorder = Recorder::new();
        let outer = recorder.enter();
        drop(recorder.enter());
        drop(outer);
        recorder.assert_exclusive(2);
    }

    #[test]
    fn shared_stays_may_overlap() {
        let recorder = Recorder::new();
        let (first, second) = (recorder.enter_shared(), recorder.enter_shared());
        drop(first);
        drop(second);
        drop(recorder.enter());
        recorder.assert_exclusive(3);
        assert_eq!(recorder.most_at_once(), 2);
    }

    #[test]
    #[should_panic(expected = "two were inside at once: shared 0..=5 and 3..=4")]
    fn stay_within_a_shared_one_is_caught() {
        let recorder = Recorder::new();
        let outer = recorder.enter_shared();
        drop(recorder.enter_shared());
        drop(recorder.enter());
        drop(outer);
        recorder.assert_exclusive(3);
    }

    #[test]
    #[should_panic(expected = "two were inside at once: 0..=3 and shared 1..=2")]
    fn shared_stay_within_another_is_caught() {
        let recorder = Recorder::new();
        let outer = recorder.enter();
        drop(recorder.enter_shared());
        drop(outer);
        recorder.assert_exclusive(2);
    }

    #[test]
    fn stays_at_once_are_counted() {
        let recorder = Recorder::new();
        assert_eq!(recorder.most_at_once(), 0);
        for at_once in [1, 3, 2] {
            drop((0..at_once).map(|_| recorder.enter()).collect::<Vec<_>>());
        }
        assert_eq!(recorder.most_at_once(), 3);
    }

    #[test]
    #[should_panic(expected = "two were inside at once")]
    fn overlap_between_threads_is_caught() {
        let recorder = Recorder::new();
        let both_inside = Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let _stay = recorder.enter();
                    both_inside.wait();
                });
            }
        });
        recorder.assert_exclusive(2);
    }

    #[test]
    #[should_panic(expected = "so many stays")]
    fn missing_stay_is_caught() {
        Recorder::new().assert_exclusive(1);
    }
}

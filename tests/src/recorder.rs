//! Proof of exclusion: intervals that must not overlap.
//!
//! One counter gives all stamps, so they are in one order whatever thread takes
//! them. A stay begins with a stamp taken just after the lock was acquired and
//! ends with one taken just before it is released. If the lock excludes, the stays
//! come one after the other; any overlap, however short, shows in the stamps.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Records who was inside a lock from when to when.
///
/// # Examples
///
/// ```
/// let recorder = lockutils_tests::Recorder::new();
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
}

/// A stay inside the lock; dropping it ends it.
#[derive(Debug)]
#[must_use = "a stay ends when it is dropped"]
pub struct Stay<'a> {
    recorder: &'a Recorder,
    start: u64,
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
        let start = self.stamp();
        Stay {
            recorder: self,
            start,
        }
    }

    fn stamp(&self) -> u64 {
        // Relaxed: all stamps are changes of one atomic, which have one order. A
        // stronger ordering could hide that the lock itself orders nothing.
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// Checks that no two stays overlapped, and that there were as many as expected.
    ///
    /// # Panics
    ///
    /// With the overlapping stays, or with the wrong count.
    pub fn assert_exclusive(&self, expected: usize) {
        let mut stays = self.ended.lock().unwrap().clone();
        stays.sort_unstable();
        for pair in stays.windows(2) {
            let [first, second] = pair else {
                unreachable!()
            };
            assert!(
                first.end < second.start,
                "two were inside at once: {first:?} and {second:?}"
            );
        }
        assert_eq!(stays.len(), expected, "so many stays");
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        let end = self.recorder.stamp();
        let interval = Interval {
            start: self.start,
            end,
        };
        self.recorder.ended.lock().unwrap().push(interval);
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.start, self.end)
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

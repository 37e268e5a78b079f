//! How often something took how long.

use std::time::Duration;

/// The bounds in nanoseconds: 10 µs, which a hand-over takes, to a minute, after which it is stuck.
pub(crate) const BOUNDS: [u64; 12] = [
    10_000,
    100_000,
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
    10_000_000_000,
    60_000_000_000,
];

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Histogram {
    /// How many took no longer than each bound, and longer than the one before; the last of them
    /// longer than all.
    counts: [u64; BOUNDS.len() + 1],
    /// In nanoseconds.
    sum: u64,
}

impl Histogram {
    pub(crate) const NEW: Self = Self {
        counts: [0; BOUNDS.len() + 1],
        sum: 0,
    };

    #[inline]
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        // Most are short.
        let bound = BOUNDS.iter().position(|bound| nanoseconds <= *bound);
        self.counts[bound.unwrap_or(BOUNDS.len())] += 1;
        self.sum = self.sum.saturating_add(nanoseconds);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) const fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// How many took no longer than each of the [`BOUNDS`].
    pub(crate) fn up_to(&self) -> impl Iterator<Item = u64> {
        self.counts[..BOUNDS.len()].iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn time_at_a_bound_is_within_it() {
        let mut histogram = Histogram::NEW;
        for time in [0, 10_000, 10_001, 60_000_000_000, 60_000_000_001] {
            histogram.add(time);
        }
        assert_eq!(histogram.counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(histogram.up_to().last(), Some(4));
        assert_eq!(histogram.count(), 5);
        assert_eq!(histogram.sum().as_nanos(), 120_000_020_002);
        let (mut both, mut other) = (histogram.clone(), Histogram::NEW);
        other.add(1);
        both.merge(&other);
        histogram.add(1);
        assert_eq!(both, histogram);
    }
}

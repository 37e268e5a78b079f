//! A part of all locks: those of each n-th bucket.

use super::bucket::{BUCKETS, index};

/// Each n-th bucket. A key's hash is seeded anew in each process, so in each it is a sample of other
/// keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample(usize);

impl Sample {
    /// One in so many buckets: at least one, and of none of them more than all.
    pub(crate) fn one_in(count: usize) -> Self {
        Self(count.clamp(1, BUCKETS))
    }

    /// Whether it has the bucket of this index.
    pub(crate) const fn has(self, bucket: usize) -> bool {
        bucket % self.0 == 0
    }

    /// Whether it has the lock of this hash.
    pub(crate) const fn has_hash(self, hash: u64) -> bool {
        self.has(index(hash))
    }

    pub(crate) const fn is_one_in(self) -> usize {
        self.0
    }
}

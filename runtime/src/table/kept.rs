//! Keeps buckets inflated, so that all that happens to their locks is seen, see
//! [`exact`](super::exact).

use super::bucket::BUCKETS;
use super::ears::Ears;
use super::entries::hash_of;
use super::moment::Moment;
use super::sample::Sample;
use super::shard::{Inflated, SHARD};

/// Some buckets, kept inflated for a listener, who is told of each hold of their locks until this is
/// dropped.
#[derive(Debug)]
pub(crate) struct Exact {
    ears: Ears,
    sample: Sample,
}

impl Exact {
    /// Begins to tell a listener, who isn't told by another one of these yet; but in the child of a fork by
    /// what is left of its parent's, which goes over into this one.
    pub(crate) fn begin(ears: Ears, sample: Sample) -> Self {
        let exact = Self { ears, sample };
        each_shard(|inflated, first, now| {
            for (nth, (bucket, slots)) in inflated.buckets().enumerate() {
                let of_bucket = &mut inflated.entries.ears[nth];
                match (of_bucket.have(ears), sample.has(first + nth)) {
                    (false, true) => {
                        // Inflated it is already. This one stays.
                        let _nothing = bucket.reserve(slots);
                        *of_bucket = of_bucket.and(ears);
                    }
                    (true, false) => {
                        *of_bucket = of_bucket.without(ears);
                        bucket.unreserve(slots);
                    }
                    (true, true) | (false, false) => {}
                }
            }
            for entry in inflated.entries.table.iter_mut() {
                if sample.has_hash(hash_of(entry)) {
                    entry.begin_to_tell(ears, now);
                }
            }
        });
        exact
    }
}

/// With the index of a shard's first bucket.
fn each_shard(mut of_shard: impl FnMut(&mut Inflated, usize, Moment)) {
    for first in (0..BUCKETS).step_by(SHARD) {
        let mut inflated = Inflated::of(first..first + SHARD);
        of_shard(&mut inflated, first, Moment::of_hold());
    }
}

impl Drop for Exact {
    fn drop(&mut self) {
        let Self { ears, sample } = *self;
        each_shard(|inflated, first, now| {
            for entry in inflated.entries.table.iter_mut() {
                if sample.has_hash(hash_of(entry)) {
                    entry.end_to_tell(ears, now);
                }
            }
            for (nth, (bucket, slots)) in inflated.buckets().enumerate() {
                if sample.has(first + nth) {
                    let of_bucket = &mut inflated.entries.ears[nth];
                    *of_bucket = of_bucket.without(ears);
                    bucket.unreserve(slots);
                }
            }
        });
    }
}

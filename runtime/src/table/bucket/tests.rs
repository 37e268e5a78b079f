//! How many entries a bucket has, by its word.

use super::*;

#[test]
fn one_lock_held_by_its_bucket_alone_or_by_an_entry_is_no_crowd() {
    let (bucket, slots) = (Bucket::new(), Slots::new());
    bucket
        .word
        .store(STATES | u64::MAX << 32, Ordering::Relaxed);
    assert!(!bucket.is_crowded());
    bucket.word.store(FREE, Ordering::Relaxed);
    for count in 1..=2 * MANY {
        assert!(bucket.reserve(&slots).is_none());
        assert_eq!(bucket.is_crowded(), count >= MANY);
    }
}

#[test]
fn however_many_entries_are_taken_for_no_hold() {
    const MANY: usize = 10_000;
    let (bucket, slots) = (Bucket::new(), Slots::new());
    for _ in 0..MANY {
        assert!(bucket.reserve(&slots).is_none());
        assert!(!is_thin(bucket.word.load(Ordering::Relaxed)));
    }
    for _ in 0..MANY {
        assert!(!bucket.is_free());
        bucket.unreserve(&slots);
    }
    assert!(bucket.is_free());
}

//! A text that is too long for the fast path's place is on the heap once, for as long as the lock
//! is held.
//!
//! In a binary of its own, since it counts what its allocator does.

#![forbid(unsafe_code)]

use lockutils::{Guard, Locks, synchronized};

static LOCKS: Locks = Locks::new("heap");

/// How many allocations it makes, and how many of them are left.
fn count(run: impl FnOnce()) -> (u64, i64) {
    let info = allocation_counter::measure(run);
    (info.count_total, info.count_current)
}

fn text() -> String {
    "0123456789".repeat(10)
}

fn lock(text: &str) -> Guard {
    LOCKS.key(text).lock()
}

#[synchronized(key = text, locks = LOCKS)]
fn annotated(text: &str) {
    assert!(!text.is_empty());
}

#[test]
fn long_text_is_on_the_heap_once_while_it_is_held() {
    let text = text();
    drop(lock(&text)); // The first use in a process draws a seed and some numbers.
    assert_eq!(count(|| drop(lock(&text))), (1, 0));
    assert_eq!(count(|| annotated(&text)), (1, 0));
    assert_eq!(count(|| drop(LOCKS.key(&text).try_lock())), (1, 0));
    assert_eq!(count(|| drop(LOCKS.key(&text).shared().lock())), (1, 0));
    let task = || drop(pollster::block_on(LOCKS.key(&text).lock_async()));
    task(); // So that this has what it keeps.
    assert_eq!(count(task).1, 0);
}

#[test]
fn nothing_is_left_of_a_long_text_that_somebody_looks_at() {
    let text = text() + "looked at";
    // Counted the second time, when what grows once has grown.
    let left = |run: &dyn Fn()| {
        run();
        count(run).1
    };
    let inflated = || {
        let _guard = lock(&text);
        assert!(LOCKS.key(&text).is_locked());
    };
    let refused = || {
        let _guard = lock(&text);
        assert!(LOCKS.key(&text).try_lock().is_err());
    };
    assert_eq!(left(&inflated), 0);
    assert_eq!(left(&refused), 0);
    assert_eq!(left(&|| drop(lock(&text).into_async())), 0);
}

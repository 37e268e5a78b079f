//! Uses a million keys, one after the other, and fails if they leave anything behind.
//!
//! Run by the test `million_keys_leave_nothing_behind`.

#![forbid(unsafe_code)]

use lockutils::Locks;
use lockutils_tests::in_time;
use std::ops::Range;

static LOCKS: Locks = Locks::new("million keys");

fn main() {
    // By then all tables have the size that one key at a time needs.
    in_time(|| lock_and_let_go(0..10_000));
    let before = resident_bytes();
    // In parts, since it is a part that must not take long, on a busy machine too.
    for part in 1..100 {
        in_time(move || lock_and_let_go(part * 10_000..(part + 1) * 10_000));
    }
    let after = resident_bytes();

    let left = lockutils::snapshot();
    assert!(left.is_empty(), "{left:#?}");
    if let (Some(before), Some(after)) = (before, after) {
        let grown = after.saturating_sub(before);
        assert!(grown < 1 << 20, "grown by {grown} bytes");
    }
}

/// Threads and tasks in turn, now and then with a key too long to stand in its entry.
fn lock_and_let_go(keys: Range<u32>) {
    for key in keys {
        match key % 4 {
            0 => drop(LOCKS.key(key).try_lock()),
            1 => drop(pollster::block_on(LOCKS.key(key).lock_async())),
            2 => drop(LOCKS.key(format_args!("{key:0100}")).lock()),
            _ => drop(LOCKS.key(key).lock()),
        }
    }
}

/// How much of the process is in memory; `None` where the system doesn't say.
fn resident_bytes() -> Option<u64> {
    // In pages: size, resident, and more. They have at least 4096 bytes.
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

//! A key that nobody holds or awaits costs nothing.

use lockutils::Locks;
use lockutils_tests::{ByHand, in_time};
use std::process::Command;

/// In a process of its own, whose memory no other test changes, and which fails by
/// itself if it comes to a halt.
#[test]
fn million_keys_leave_nothing_behind() {
    let output = Command::new(env!("CARGO_BIN_EXE_million_keys"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Many at once, so that the tables grow, and all kinds of end. Not too many, as other tests look at all locks of
/// the process meanwhile.
#[test]
fn keys_held_and_awaited_at_once_leave_no_entry() {
    const KEYS: usize = 2_000;
    // All of one length, so that their texts are in the same order.
    let keys = || 1_000..1_000 + KEYS;
    in_time(move || {
        let locks = Locks::new("leaves no entry");
        let entries = || {
            let states = lockutils::snapshot();
            let of_ours = states.iter().filter(|lock| lock.space == locks.name());
            of_ours.count()
        };
        let guards: Vec<_> = keys().map(|key| locks.key(key).lock()).collect();
        let mut waiters: Vec<_> = keys()
            .map(|key| ByHand::new(locks.key(key).lock_async()))
            .collect();
        assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_pending()));
        let refused = keys().filter(|key| locks.key(key).try_lock().is_err());
        assert_eq!(refused.count(), KEYS);
        assert_eq!(entries(), KEYS);
        drop(guards);
        assert_eq!(entries(), KEYS);
        waiters.truncate(KEYS / 2);
        assert_eq!(entries(), KEYS / 2);
        assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_ready()));
        assert_eq!(entries(), 0);
    });
}

//! A hook that panics.

use super::{reports, reports_of};
use lockutils::Locks;
use lockutils_tests::{ByHand, eventually, in_time};
use std::panic::panic_any;

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("what the hook panicked with panics in turn");
    }
}

/// What the tests' hook does when it has noted a report.
pub(super) fn panic_at(report: &str) {
    assert!(!report.contains("\"hook panics/"), "a hook that panics");
    if report.contains("\"hook panics twice/") {
        panic_any(Bomb);
    }
}

/// Has a task wait for itself again and again, and looks that each time is reported.
fn reported_each_time(locks: &'static Locks) {
    reports();
    for round in 1..=2 {
        let mut task = ByHand::new(async {
            let _guard = locks.key("key").lock_async().await;
            locks.key("key").lock_async().await
        });
        assert!(task.poll().is_pending());
        eventually("it is reported", || reports_of(locks.name()).len() == round);
    }
}

#[test]
fn hook_that_panics_is_called_again() {
    static LOCKS: Locks = Locks::new("hook panics");
    in_time(|| reported_each_time(&LOCKS));
}

#[test]
fn hook_whose_payload_panics_is_called_again() {
    static LOCKS: Locks = Locks::new("hook panics twice");
    in_time(|| reported_each_time(&LOCKS));
}

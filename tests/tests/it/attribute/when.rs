//! `when = ..`: a lock that isn't always needed.

use lockutils::{Error, is_locked, synchronized};
use pollster::block_on;
use std::convert::identity;

#[synchronized("when", when = locked)]
fn run(locked: bool) -> bool {
    is_locked("when")
}

#[synchronized("when async", when = locked)]
async fn run_async(locked: bool) -> bool {
    is_locked("when async")
}

#[test]
fn body_is_locked_where_the_condition_is_true() {
    assert!(run(true));
    assert!(block_on(run_async(true)));
}

#[test]
fn body_runs_unlocked_where_the_condition_is_false() {
    assert!(!run(false));
    assert!(!block_on(run_async(false)));
    // Also while somebody else has the lock.
    let guard = lockutils::lock("when");
    assert!(run(false));
    drop(guard);
}

#[test]
fn key_and_timeout_are_not_evaluated_where_the_condition_is_false() {
    #[synchronized(
        key = key.unwrap(),
        acquire_timeout = timeout.unwrap(),
        when = key.is_some(),
    )]
    fn optional(key: Option<&str>, timeout: Option<std::time::Duration>) -> Result<bool, Error> {
        Ok(is_locked("optional"))
    }
    let second = std::time::Duration::from_secs(1);
    assert!(optional(Some("optional"), Some(second)).unwrap());
    assert!(!optional(None, None).unwrap());
}

#[test]
fn failure_of_a_lock_that_is_needed_is_returned() {
    #[synchronized("when busy", when = identity(locked), nonblocking)]
    fn tried(locked: bool) -> Result<(), Error> {
        Ok(())
    }
    #[synchronized("when busy", when = locked, nonblocking)]
    async fn tried_async(locked: bool) -> Result<(), Error> {
        Ok(())
    }
    let _guard = lockutils::lock("when busy");
    assert!(tried(true).is_err() && tried(false).is_ok());
    assert!(block_on(tried_async(true)).is_err() && block_on(tried_async(false)).is_ok());
}

/// Tells, when it is dropped, whether the key is locked.
struct OnDrop<'a>(&'static str, &'a mut Option<bool>);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        *self.1 = Some(is_locked(self.0));
    }
}

#[test]
fn locals_drop_under_the_lock() {
    #[synchronized("when drop", when = locked)]
    fn run(locked: bool, seen: &mut Option<bool>) {
        let _local = OnDrop("when drop", seen);
    }
    #[synchronized("when drop async", when = locked)]
    async fn run_async(locked: bool, seen: &mut Option<bool>) {
        let _local = OnDrop("when drop async", seen);
    }
    for locked in [true, false] {
        let mut seen = None;
        run(locked, &mut seen);
        assert_eq!(seen.take(), Some(locked));
        block_on(run_async(locked, &mut seen));
        assert_eq!(seen, Some(locked));
    }
}

#[test]
fn lock_is_released_after_the_body() {
    assert!(run(true));
    assert!(!is_locked("when"));
}

//! `#[synchronized]` beside the attributes that make a test or a `main`, which a
//! trybuild case can't show.

use lockutils::{is_locked, synchronized};

#[test]
#[synchronized("test above")]
fn holds_its_lock_below_test() {
    assert!(is_locked("test above"));
}

#[synchronized("test below")]
#[test]
fn holds_its_lock_above_test() {
    assert!(is_locked("test below"));
}

/// Here the attribute sees a sync function that blocks on the async one.
#[tokio::test]
#[synchronized("tokio above")]
async fn holds_its_lock_below_tokio_test() {
    tokio::task::yield_now().await;
    assert!(is_locked("tokio above"));
}

#[synchronized("tokio below")]
#[tokio::test]
async fn holds_its_lock_above_tokio_test() {
    tokio::task::yield_now().await;
    assert!(is_locked("tokio below"));
}

#[test]
#[synchronized("result")]
fn may_return_a_result() -> Result<(), std::num::ParseIntError> {
    assert_eq!("7".parse::<u32>()?, 7);
    Ok(())
}

#[test]
#[should_panic(expected = "under the lock")]
#[synchronized("panic")]
fn may_be_expected_to_panic() {
    assert!(!is_locked("panic"), "under the lock");
}

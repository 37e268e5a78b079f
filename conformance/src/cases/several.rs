//! Several keys that are taken together.

use crate::by_hand::ByHand;
use crate::recorder::Recorder;
use crate::subject::Subject;
use crate::take::{SHORT, hold, hold_all, is_free, one_thread, wait_for_all};
use crate::test::Test;
use lockutils::ErrorKind;
use std::sync::Barrier;
use std::thread;

/// Several keys are had and released as one, one that is there twice as well. None is had
/// too.
pub fn keys_are_held_together<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let is_held = |key| !is_free(&space, key);
    let guard = hold_all(&space, &["b", "a", "b"]);
    assert!(is_held("a") && is_held("b") && !is_held("c"));
    drop(guard);
    assert!(!is_held("a") && !is_held("b"));
    let guard = one_thread().block_on(wait_for_all(&space, &["b", "a"]));
    assert!(is_held("a") && is_held("b"));
    drop(guard);
    assert!(!is_held("a") && !is_held("b"));
    drop(hold_all(&space, &[]));
}

/// Callers that name the same keys in different orders wait for each other, and not in a
/// circle.
pub fn keys_in_any_order_do_not_deadlock<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let recorder = Recorder::new();
    let start = Barrier::new(3);
    thread::scope(|scope| {
        for keys in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] {
            let (space, recorder, start) = (&space, &recorder, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..100 {
                    let _guard = hold_all(space, &keys);
                    let _stay = recorder.enter();
                    thread::yield_now();
                }
            });
        }
    });
    recorder.assert_exclusive(300);
}

/// Where one of several keys is busy, a try holds none of them, in a thread and a task.
pub fn keys_that_are_not_all_free_are_not_tried_in_part<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = hold(&space, "b");
    let tried = || wait_for_all(&space, &["a", "b", "c"]);
    let error = tried().try_now().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.key(), Some("b"));
    assert!(is_free(&space, "a") && is_free(&space, "c"));
    assert!(pollster::block_on(tried().try_async()).is_err());
    assert!(is_free(&space, "a") && is_free(&space, "c"));
    drop(guard);
    let _guard = tried().try_now().map_err(drop).unwrap();
    assert!(!is_free(&space, "a") && !is_free(&space, "c"));
}

/// A wait for several keys that is dropped half-way, or is out of time, keeps none.
pub fn cancelled_wait_for_keys_holds_none<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = hold(&space, "b");
    let mut cancelled = ByHand::new(wait_for_all(&space, &["a", "b"]));
    assert!(cancelled.poll().is_pending());
    drop(cancelled);
    assert!(is_free(&space, "a"));
    assert!(pollster::block_on(wait_for_all(&space, &["a", "b"]).timed(SHORT)).is_err());
    assert!(is_free(&space, "a"));
    drop(guard);
    assert!(is_free(&space, "b"));
}

//! That the lock is free again however the call ends.

use lockutils::{is_locked, synchronized};
use lockutils_tests::{ByHand, in_time, yield_now};
use pollster::block_on;
use std::convert::Infallible;
use std::future;
use std::num::ParseIntError;
use std::panic::{self, AssertUnwindSafe};
use std::task::Poll;

/// A body of which each statement can be the last.
macro_rules! body {
    ($key:ident, $end:ident) => {{
        assert!(is_locked($key));
        'ends: {
            match $end {
                "return" => return Ok(1),
                "?" => Ok("not a number".parse()?),
                "break" => break 'ends Ok(2),
                "panic" => panic!("inside"),
                _ => Ok(3),
            }
        }
    }};
}

#[synchronized(key = key)]
fn run(key: &str, end: &str) -> Result<u32, ParseIntError> {
    body!(key, end)
}

#[synchronized(key = key)]
async fn run_async(key: &str, end: &str) -> Result<u32, ParseIntError> {
    yield_now().await;
    body!(key, end)
}

#[test]
fn every_end_of_a_call_releases() {
    in_time(|| {
        let key = "release::sync";
        for (end, value) in [
            ("return", Some(1)),
            ("?", None),
            ("break", Some(2)),
            ("", Some(3)),
        ] {
            assert_eq!(run(key, end).ok(), value);
            assert!(!is_locked(key), "{end}");
        }
    });
}

#[test]
fn every_end_of_an_async_call_releases() {
    in_time(|| {
        let key = "release::async";
        for (end, value) in [
            ("return", Some(1)),
            ("?", None),
            ("break", Some(2)),
            ("", Some(3)),
        ] {
            assert_eq!(block_on(run_async(key, end)).ok(), value);
            assert!(!is_locked(key), "{end}");
        }
    });
}

/// And the next call runs as if nothing had been.
#[test]
fn panic_releases() {
    in_time(|| {
        let key = "release::panic";
        assert!(panic::catch_unwind(|| run(key, "panic")).is_err());
        assert!(!is_locked(key));
        assert!(panic::catch_unwind(|| block_on(run_async(key, "panic"))).is_err());
        assert!(!is_locked(key));
        assert_eq!(run(key, "").ok(), Some(3));
    });
}

#[synchronized(key = key)]
async fn hang(key: &str) -> Infallible {
    future::pending().await
}

#[test]
fn call_dropped_inside_releases() {
    in_time(|| {
        let key = "release::inside";
        let mut call = ByHand::new(hang(key));
        assert!(call.poll().is_pending());
        assert!(is_locked(key));
        drop(call);
        assert!(!is_locked(key));
    });
}

#[test]
fn call_dropped_while_it_waits_leaves_the_queue() {
    in_time(|| {
        let key = "release::waiting";
        let guard = lockutils::lock(key);
        let mut call = ByHand::new(hang(key));
        assert!(call.poll().is_pending());
        drop(call);
        assert!(is_locked(key));
        drop(guard);
        assert!(!is_locked(key));
    });
}

#[test]
fn call_dropped_when_the_lock_comes_to_it_lets_the_next_in() {
    in_time(|| {
        let key = "release::coming";
        let mut calls = [hang(key), hang(key), hang(key)].map(ByHand::new);
        assert!(calls.iter_mut().all(|call| call.poll().is_pending()));
        let [inside, woken, mut next] = calls;
        drop(inside);
        assert_eq!((woken.woken(), next.woken()), (1, 0));
        drop(woken);
        assert_eq!(next.woken(), 1);
        assert!(next.poll().is_pending(), "it hangs inside");
        assert!(is_locked(key));
    });
}

#[test]
fn call_that_was_not_polled_takes_nothing() {
    in_time(|| {
        let key = "release::not polled";
        let call = hang(key);
        assert!(!is_locked(key));
        drop(call);
    });
}

/// A task's abort is such a drop, on a thread of the runtime.
#[test]
fn aborted_task_releases() {
    in_time(|| {
        let key = "release::aborted";
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let task = tokio::spawn(hang(key));
            while !is_locked(key) {
                tokio::task::yield_now().await;
            }
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert!(!is_locked(key));
    });
}

#[test]
fn branch_that_loses_a_select_releases() {
    in_time(|| {
        let key = "release::select";
        block_on(async {
            tokio::select! {
                biased;
                never = hang(key) => match never {},
                () = async { assert!(is_locked(key)) } => {}
            }
        });
        assert!(!is_locked(key));
    });
}

/// Unwinding is no obstacle to taking a lock and letting it go.
#[test]
fn call_made_by_a_destructor_during_a_panic_locks_and_releases() {
    struct Calls(&'static str);
    impl Drop for Calls {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            assert_eq!(run(self.0, "").ok(), Some(3));
        }
    }
    in_time(|| {
        let key = "release::unwinding";
        let panicking = panic::catch_unwind(AssertUnwindSafe(|| {
            let _calls = Calls(key);
            panic!("on the way");
        }));
        assert!(panicking.is_err());
        assert!(!is_locked(key));
    });
}

/// The block of a returned future, too.
#[test]
fn future_dropped_inside_releases() {
    #[synchronized("release::block")]
    fn block() -> impl Future<Output = ()> {
        let never = future::pending();
        async move { never.await }
    }
    in_time(|| {
        let mut call = ByHand::new(block());
        assert_eq!(call.poll(), Poll::Pending);
        assert!(is_locked("release::block"));
        drop(call);
        assert!(!is_locked("release::block"));
    });
}

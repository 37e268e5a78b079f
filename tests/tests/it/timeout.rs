//! Waits with a limit: by threads, and by tasks under any executor.

use crate::fairness::outlast_patience;
use futures::executor::ThreadPool;
use futures::future;
use futures::task::SpawnExt as _;
use lockutils::{AsyncGuard, Error, ErrorKind, LockTimeoutFuture, Locks};
use lockutils_tests::{
    ByHand, Lockstep, Recorder, eventually, in_time, states, waiters, yield_now,
};
use std::hint;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

/// So long that it is never over in a test that passes.
const LONG: Duration = Duration::from_secs(3600);

const SHORT: Duration = Duration::from_millis(5);

/// Timeouts that are none: no clock goes so far.
const ENDLESS: [Duration; 3] = [
    Duration::MAX,
    Duration::from_secs(u64::MAX / 2),
    Duration::from_secs(1 << 40),
];

/// Returns when a wait that has begun already has taken as long.
fn outlast(timeout: Duration) {
    let start = Instant::now();
    eventually("the clock goes on", || start.elapsed() > timeout);
}

/// A task that waits in the queue, and its timeout. On a busy machine a short one may be over
/// before the first poll is; this one was not.
fn queued(locks: &Locks, key: &str) -> (ByHand<LockTimeoutFuture>, Duration) {
    let timeouts = (0..).map(|power| SHORT * (1 << power));
    let mut waits = timeouts.map(|timeout| {
        let wait = locks.key(key).lock_timeout_async(timeout);
        (ByHand::new(wait), timeout)
    });
    let queued = waits.find_map(|(mut wait, timeout)| {
        let is_queued = wait.poll().is_pending();
        is_queued.then_some((wait, timeout))
    });
    queued.expect("the timeouts never end")
}

/// A hold that is no thread's, so that waiting for it is no deadlock.
fn hold(locks: &Locks, key: &str) -> AsyncGuard {
    locks.key(key).lock().into_async()
}

/// Runs futures on executors of all kinds. Tokio's have no timer.
fn on_each_executor<F>(future: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let tokio = |builder: &mut Builder| {
        let runtime = builder.build().unwrap();
        let task = runtime.spawn(future());
        runtime.block_on(task).unwrap();
    };
    tokio(&mut Builder::new_current_thread());
    tokio(Builder::new_multi_thread().worker_threads(2));
    let pool = ThreadPool::builder().pool_size(1).create().unwrap();
    futures::executor::block_on(pool.spawn_with_handle(future()).unwrap());
    futures::executor::block_on(future());
    pollster::block_on(future());
}

#[test]
fn free_lock_is_taken_whatever_the_timeout() {
    in_time(|| {
        let locks = Locks::new("free");
        for timeout in ENDLESS.into_iter().chain([Duration::ZERO, SHORT, LONG]) {
            let key = locks.key("key");
            assert!(key.lock_timeout(timeout).is_ok());
            let Poll::Ready(taken) = ByHand::new(key.lock_timeout_async(timeout)).poll() else {
                panic!("there is nothing to wait for");
            };
            assert!(taken.is_ok());
        }
    });
}

#[test]
fn timeout_of_zero_is_one_try() {
    in_time(|| {
        let locks = Locks::new("zero");
        let _guard = hold(&locks, "key");
        let key = locks.key("key");
        let error = key.lock_timeout(Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let polled = ByHand::new(key.lock_timeout_async(Duration::ZERO)).poll();
        let Poll::Ready(Err(error)) = polled else {
            panic!("one try, and no wait");
        };
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(waiters(&locks), 0);
    });
}

/// Who doesn't wait is in no deadlock.
#[test]
fn timeout_of_zero_is_one_try_of_ones_own_lock() {
    in_time(|| {
        let locks = Locks::new("zero of one's own");
        let _guard = locks.key("key").lock();
        let error = locks.key("key").lock_timeout(Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    });
}

fn assert_tells_all(error: &Error, measured: Duration, line: u32) {
    let waited = error.waited();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        SHORT <= waited && waited <= measured,
        "{waited:?} of {measured:?}"
    );
    assert_eq!((error.space(), error.key()), (Some("cells"), Some("2f1c")));
    let site = error.holder().unwrap().site().unwrap();
    assert_eq!(
        (site.location().file(), site.location().line()),
        (file!(), line)
    );
    assert_eq!(
        error.to_string(),
        format!(
            "timed out after {waited:.1?} waiting for lock \"cells/2f1c\": held by {}:{line} in \
             thread \"worker-3\"",
            file!()
        )
    );
}

/// The error of a thread and that of a task say the same.
#[test]
fn error_tells_how_long_and_for_whom_one_waited() {
    in_time(|| {
        let locks = Locks::new("cells");
        let (held, line) = (AtomicBool::new(false), line!() + 5);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let holder = thread::Builder::new().name("worker-3".to_owned());
            let body = || {
                let _guard = locks.key("2f1c").lock();
                held.store(true, Ordering::SeqCst);
                eventually("both have given up", || done.load(Ordering::SeqCst));
            };
            holder.spawn_scoped(scope, body).unwrap();
            eventually("the lock is held", || held.load(Ordering::SeqCst));

            let start = Instant::now();
            let error = locks.key("2f1c").lock_timeout(SHORT).unwrap_err();
            assert_tells_all(&error, start.elapsed(), line);
            let start = Instant::now();
            let wait = locks.key("2f1c").lock_timeout_async(SHORT);
            let error = pollster::block_on(wait).unwrap_err();
            assert_tells_all(&error, start.elapsed(), line);
            done.store(true, Ordering::SeqCst);
        });
    });
}

#[test]
fn time_runs_out_under_any_executor() {
    in_time(|| {
        let locks = Arc::new(Locks::new("runs out"));
        let _guard = hold(&locks, "key");
        on_each_executor(|| {
            let locks = Arc::clone(&locks);
            async move {
                let start = Instant::now();
                let error = locks.key("key").lock_timeout_async(SHORT).await;
                assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
                assert!(start.elapsed() >= SHORT);
            }
        });
        assert_eq!(waiters(&locks), 0);
    });
}

/// It is another branch of the same task that lets go: the wait doesn't block its
/// thread.
#[test]
fn lock_comes_in_time_under_any_executor() {
    in_time(|| {
        let locks = Arc::new(Locks::new("in time"));
        for timeout in ENDLESS.into_iter().chain([LONG]) {
            on_each_executor(|| {
                let locks = Arc::clone(&locks);
                async move {
                    let guard = locks.key("key").lock_async().await;
                    let wait = async {
                        let taken = locks.key("key").lock_timeout_async(timeout).await;
                        assert!(taken.is_ok());
                    };
                    let release = async {
                        while waiters(&locks) == 0 {
                            yield_now().await;
                        }
                        drop(guard);
                    };
                    future::join(wait, release).await;
                }
            });
        }
        assert!(states(&locks).is_empty());
    });
}

#[test]
fn lock_comes_to_a_thread_in_time() {
    in_time(|| {
        let locks = Locks::new("thread in time");
        for timeout in ENDLESS.into_iter().chain([LONG]) {
            let guard = locks.key("key").lock();
            thread::scope(|scope| {
                let waiter = scope.spawn(|| locks.key("key").lock_timeout(timeout).map(drop));
                eventually("the thread waits", || waiters(&locks) == 1);
                drop(guard);
                assert!(waiter.join().unwrap().is_ok());
            });
        }
    });
}

#[test]
fn thread_whose_time_is_over_leaves_the_queue() {
    in_time(|| {
        let locks = Locks::new("thread leaves");
        let guard = hold(&locks, "key");
        assert!(locks.key("key").lock_timeout(SHORT).is_err());
        assert_eq!(waiters(&locks), 0);
        drop(guard);
        assert!(locks.key("key").try_lock().is_ok());
    });
}

/// Also where the future is kept, as `select!` does with one that it borrows.
#[test]
fn task_whose_time_is_over_leaves_the_queue() {
    in_time(|| {
        let locks = Locks::new("task leaves");
        let guard = hold(&locks, "key");
        let (mut wait, timeout) = queued(&locks, "key");
        let mut behind = ByHand::new(locks.key("key").lock_async());
        assert!(behind.poll().is_pending());
        outlast(timeout);
        assert!(matches!(wait.poll(), Poll::Ready(Err(_))));
        assert_eq!(waiters(&locks), 1);
        drop(guard);
        assert_eq!(behind.woken(), 1);
        assert!(behind.poll().is_ready());
        drop(wait);
        assert!(states(&locks).is_empty());
    });
}

/// Those behind can share the lock with its holder, once the waiter between them is
/// gone.
#[test]
fn waiter_whose_time_is_over_lets_those_behind_it_through() {
    in_time(|| {
        let locks = Locks::new("lets through");
        let _guard = locks.key("key").shared().lock().into_async();
        let behind = || ByHand::new(locks.key("key").shared().lock_async());

        let (mut task, timeout) = queued(&locks, "key");
        let mut behind_task = behind();
        assert!(behind_task.poll().is_pending());
        outlast(timeout);
        assert!(matches!(task.poll(), Poll::Ready(Err(_))));
        assert_eq!(behind_task.woken(), 1);
        assert!(behind_task.poll().is_ready());

        // Until one is queued behind the thread before its time is over.
        for timeout in (0..).map(|power| SHORT * (1 << power)) {
            let mut behind_thread = behind();
            let queued = thread::scope(|scope| {
                let thread = scope.spawn(|| locks.key("key").lock_timeout(timeout).is_err());
                eventually("the thread waits, or has waited", || {
                    waiters(&locks) == 1 || thread.is_finished()
                });
                let queued = behind_thread.poll().is_pending();
                assert!(thread.join().unwrap());
                queued
            });
            if queued {
                assert_eq!(behind_thread.woken(), 1);
                assert!(behind_thread.poll().is_ready());
                break;
            }
        }
    });
}

#[test]
fn dropped_timed_wait_leaves_the_queue() {
    in_time(|| {
        let locks = Locks::new("dropped");
        let guard = hold(&locks, "key");
        let mut wait = ByHand::new(locks.key("key").lock_timeout_async(LONG));
        assert!(wait.poll().is_pending());
        assert_eq!(waiters(&locks), 1);
        drop(wait);
        assert_eq!(waiters(&locks), 0);
        drop(guard);
        assert!(locks.key("key").try_lock().is_ok());
    });
}

/// Nobody releases: it is the clock that wakes the task, by its latest waker.
#[test]
fn time_that_runs_out_wakes_the_task() {
    in_time(|| {
        let locks = Locks::new("clock");
        let _guard = hold(&locks, "key");
        let (mut wait, _) = queued(&locks, "key");
        let ended = match wait.poll() {
            Poll::Pending => wait.finish(),
            Poll::Ready(ended) => ended,
        };
        assert!(ended.is_err());
    });
}

/// The lock was handed to it before it looked at the clock, so it is the waiter's.
#[test]
fn lock_handed_over_in_time_is_taken_though_the_time_is_over() {
    in_time(|| {
        let locks = Locks::new("handed over").fair();
        let guard = locks.key("key").lock();
        let (mut wait, timeout) = queued(&locks, "key");
        drop(guard);
        outlast(timeout);
        assert!(matches!(wait.poll(), Poll::Ready(Ok(_))));
    });
}

/// The time counts from when the lock was found busy, however often the waiter is
/// woken and overtaken.
#[test]
fn waiter_that_is_overtaken_has_no_more_time() {
    in_time(|| {
        let overtaken = || {
            let locks = Locks::new("no more time");
            let mut guard = locks.key("key").lock();
            let mut wait = ByHand::new(locks.key("key").lock_timeout_async(10 * SHORT));
            let start = Instant::now();
            if wait.poll().is_ready() {
                return None; // It was too short for this machine.
            }
            drop(guard);
            // Unless the waiter has waited long enough to be handed the lock.
            guard = locks.key("key").try_lock().ok()?;
            outlast(8 * SHORT);
            let calls = wait.woken();
            let woken = wait.poll();
            // Else it may have been called once more, as its time was over.
            if start.elapsed() < 10 * SHORT {
                assert_eq!(calls, 1);
                assert!(woken.is_pending());
                outlast(2 * SHORT);
                assert!(matches!(wait.poll(), Poll::Ready(Err(_))));
                drop(guard);
                return Some(());
            }
            None
        };
        eventually("it is overtaken in time", || overtaken().is_some());
    });
}

/// The lock is handed to a thread in the very moment in which its time is over.
/// Whichever is first, it is not lost; and who gives up names another as the holder.
///
/// Each round moves the release to where the last one showed the edge to be, and twice as far as the last if that was
/// on the same side: on a busy machine the waiter's thread may come late by more than all its time.
#[test]
fn hand_over_as_the_time_runs_out_is_not_lost() {
    const ROUNDS: usize = 2000;
    const TIMEOUT: Duration = Duration::from_micros(100);
    const STEP: Duration = Duration::from_micros(1);
    const MOST: Duration = Duration::from_millis(1);
    in_time(|| {
        let locks = Locks::new("race").fair();
        let lockstep = Lockstep::new();
        let taken: Vec<AtomicBool> = (0..ROUNDS).map(|_| AtomicBool::new(false)).collect();
        let waits = || {
            let mut errors = Vec::new();
            for taken in &taken {
                lockstep.meet(0);
                let (tried, line) = (locks.key("key").lock_timeout(TIMEOUT), line!());
                match tried {
                    Ok(_guard) => taken.store(true, Ordering::SeqCst),
                    Err(error) => errors.push((error, line)),
                }
                lockstep.meet(0);
            }
            errors
        };
        let errors = thread::scope(|scope| {
            let waiter = scope.spawn(waits);
            let (mut release_after, mut last) = (TIMEOUT, (false, STEP));
            for taken in &taken {
                let guard = hold(&locks, "key");
                lockstep.meet(1);
                let start = Instant::now();
                while start.elapsed() < release_after {
                    hint::spin_loop();
                }
                drop(guard);
                lockstep.meet(1);
                // By now the thread has let go, or it was never in.
                assert!(locks.key("key").try_lock().is_ok());
                let is_taken = taken.load(Ordering::SeqCst);
                let step = if last.0 == is_taken { 2 * last.1 } else { STEP };
                last = (is_taken, step.min(MOST));
                release_after = if is_taken {
                    release_after + last.1
                } else {
                    release_after.saturating_sub(last.1)
                };
            }
            waiter.join().unwrap()
        });
        let given_up = errors.len();
        assert!((1..ROUNDS).contains(&given_up), "{given_up} of {ROUNDS}");
        for (error, own_line) in errors {
            assert_eq!(error.kind(), ErrorKind::Timeout);
            let line = error
                .holder()
                .and_then(|holder| Some(holder.site()?.location().line()));
            assert_ne!(line, Some(own_line), "waited for itself");
        }
        assert!(states(&locks).is_empty());
    });
}

/// The same where the waiter is only woken, and with many behind it.
#[test]
fn wake_up_as_the_time_runs_out_is_not_lost() {
    const ROUNDS: usize = 300;
    in_time(|| {
        let locks = Locks::new("race of a wake-up");
        let lockstep = Lockstep::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    lockstep.meet(0);
                    let timeout = Duration::from_micros(800 + round as u64);
                    drop(locks.key("key").lock_timeout(timeout));
                }
            });
            for _ in 0..ROUNDS {
                let guard = hold(&locks, "key");
                lockstep.meet(1);
                let mut behind = ByHand::new(locks.key("key").lock_timeout_async(LONG));
                assert!(behind.poll().is_pending());
                outlast_patience();
                drop(guard);
                drop(behind.finish());
            }
        });
        assert!(states(&locks).is_empty());
    });
}

/// Threads and tasks with all kinds of short timeouts.
#[test]
fn short_waits_of_many_exclude_and_leave_nothing_behind() {
    in_time(|| {
        let locks = Locks::new("many short");
        let recorder = Recorder::new();
        let stays = AtomicUsize::new(0);
        let stay = || {
            let _stay = recorder.enter();
            stays.fetch_add(1, Ordering::SeqCst);
            thread::yield_now();
        };
        thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (locks, stay) = (&locks, &stay);
                scope.spawn(move || {
                    for round in 0..200 {
                        let timeout = Duration::from_micros((thread + round) * 7 % 400);
                        if thread % 2 == 0 {
                            if let Ok(_guard) = locks.key("key").lock_timeout(timeout) {
                                stay();
                            }
                        } else {
                            let wait = locks.key("key").lock_timeout_async(timeout);
                            if let Ok(_guard) = pollster::block_on(wait) {
                                stay();
                            }
                        }
                    }
                });
            }
        });
        recorder.assert_exclusive(stays.into_inner());
        assert!(states(&locks).is_empty());
    });
}

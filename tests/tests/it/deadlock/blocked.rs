//! A thread that blocks for what a task holds, which may need that very thread.

use super::{LONG, reports, reports_of, runtime, suspected, waiters};
use lockutils::{ErrorKind, FileLocks, Locks, snapshot, synchronized};
use lockutils_tests::{ByHand, Directory, eventually, in_time};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

static USERS: Locks = Locks::new("users");

#[synchronized(locks = USERS, key = "user-{id}")]
async fn charge(id: u32, paid: tokio::sync::oneshot::Receiver<()>) {
    paid.await.unwrap();
}

#[synchronized(locks = USERS, key = "user-{id}")]
fn refund(id: u32) {
    let _ = id;
}

/// How long the first in a queue of the space has waited.
fn longest_wait(space: &str) -> Option<Duration> {
    let locks = snapshot().into_iter().filter(|lock| lock.space == space);
    locks.filter_map(|lock| lock.longest_wait).max()
}

/// Two workers, four callers: the workers block for what a task holds that none is left to
/// run. What they need is a word about it.
#[test]
fn service_that_blocks_its_workers_is_reported_once() {
    in_time(|| {
        reports();
        let runtime = runtime();
        let (pay, paid) = tokio::sync::oneshot::channel();
        runtime.spawn(charge(7, paid));
        eventually("it is being charged", || USERS.key("user-7").is_locked());
        for _ in 0..3 {
            runtime.spawn(async { refund(7) });
        }
        eventually("both workers block", || waiters("users") == 2);
        // No use: there is no worker to run what has been woken.
        pay.send(()).unwrap();
        eventually("it is reported", || !reports_of("users").is_empty());
        assert_eq!(suspected("users"), 1);
        // By now the other one has looked as well, and both again.
        eventually("they go on blocking", || {
            longest_wait("users") > Some(Duration::from_millis(2500))
        });
        let reports = reports_of("users");
        let [report] = &reports[..] else {
            panic!("one report, not {reports:?}");
        };
        let parts = [
            "refund (",
            " in thread \"tokio",
            " blocks for lock \"users/user-7\", held by charge (",
            " in an async task; ",
            "use the async form instead: `lock_async`, or an `async fn`",
        ];
        assert!(parts.iter().all(|part| report.contains(part)), "{report}");
        // The threads block to the end of the process, as they would in a service.
        runtime.shutdown_background();
    });
}

/// Holds the key for a task, until what is given is dropped.
fn held_by_a_task(locks: &'static Locks) -> impl Sized {
    let mut task = ByHand::new(async {
        let _guard = locks.key("key").lock_async().await;
        std::future::pending::<()>().await;
    });
    assert!(task.poll().is_pending());
    task
}

#[test]
fn timeout_says_that_a_task_is_in_the_way_of_a_thread() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("blocked, timed");
        reports();
        let task = held_by_a_task(&LOCKS);
        // Not for less than a second, unless the thread stops for as long.
        let soon = LOCKS.key("key").lock_timeout(Duration::from_millis(10));
        let error = soon.unwrap_err();
        assert!(error.deadlock().is_none() || error.waited() >= Duration::from_secs(1));
        let time_out = |timeout| {
            let timeout = Duration::from_millis(timeout);
            let error = LOCKS.key("key").lock_timeout(timeout).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
            let text = error.to_string();
            let parts = [
                "; suspected deadlock:\n",
                " blocks for lock \"blocked, timed/key\"",
            ];
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        };
        time_out(1000);
        // On a busy machine the thread may wake up too late to look.
        while reports_of("blocked, timed").is_empty() {
            time_out(1500);
        }
        // Each of them waited for the same hold, which is one report.
        time_out(1500);
        assert_eq!(reports_of("blocked, timed").len(), 1);
        // Nobody waits now.
        assert_eq!(suspected("blocked, timed"), 0);
        drop(task);
        assert!(LOCKS.key("key").try_lock().is_ok());
    });
}

#[test]
fn next_hold_that_blocks_a_thread_is_reported_again() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("blocked again");
        reports();
        for round in 1..=2 {
            let task = held_by_a_task(&LOCKS);
            thread::scope(|scope| {
                scope.spawn(|| drop(LOCKS.key("key").lock()));
                eventually("it is reported", || {
                    reports_of("blocked again").len() == round
                });
                drop(task);
            });
            assert_eq!(suspected("blocked again"), 0);
        }
    });
}

/// The lock has been handed to the task that was first in the queue, and it does not come.
#[test]
fn task_that_does_not_come_for_its_lock_is_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("does not come");
        static FAIR: Locks = Locks::new("does not come, fair").fair();
        reports();
        for locks in [&LOCKS, &FAIR] {
            let held = locks.key("key").lock();
            let mut task = ByHand::new(locks.key("key").lock_async());
            assert!(task.poll().is_pending());
            thread::scope(|scope| {
                scope.spawn(|| drop(locks.key("key").lock()));
                eventually("the thread waits", || waiters(locks.name()) == 2);
                // Who has waited for less may be overtaken, and so the thread would have the lock.
                eventually("the task can't be overtaken", || {
                    longest_wait(locks.name()) > Some(Duration::from_millis(1))
                });
                drop(held);
                eventually("it is reported", || reports_of(locks.name()).len() == 1);
                drop(task.finish());
            });
        }
    });
}

/// Two tasks hold the permits, or one task and a thread, which gives its own back.
#[test]
fn permits_that_only_tasks_hold_are_reported() {
    in_time(|| {
        static TASKS: Locks = Locks::new("permits of tasks").permits(2);
        static BOTH: Locks = Locks::new("permits of both").permits(2);
        reports();
        let tasks = [&TASKS, &TASKS, &BOTH].map(held_by_a_task);
        let held = BOTH.key("key").lock();
        thread::scope(|scope| {
            scope.spawn(|| drop(BOTH.key("key").lock()));
            eventually("a thread waits", || waiters("permits of both") == 1);
            scope.spawn(|| drop(TASKS.key("key").lock()));
            eventually("it is reported", || {
                reports_of("permits of tasks").len() == 1
            });
            eventually("the other one has looked", || {
                longest_wait("permits of both") > Some(Duration::from_millis(1500))
            });
            assert!(reports_of("permits of both").is_empty());
            drop((tasks, held));
        });
    });
}

#[test]
fn guard_that_was_sent_on_counts_as_a_tasks() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("blocked by a guard");
        reports();
        let guard = LOCKS.key("key").lock().into_async();
        thread::scope(|scope| {
            scope.spawn(|| drop(LOCKS.key("key").lock_timeout(LONG)));
            eventually("it is reported", || {
                reports_of("blocked by a guard").len() == 1
            });
            drop(guard);
        });
    });
}

#[test]
fn thread_that_blocks_for_a_tasks_lock_file_is_reported() {
    in_time(|| {
        reports();
        let directory = Directory::new();
        let files = FileLocks::new(&*directory);
        let mut task = ByHand::new(files.key("key").lock_async());
        let std::task::Poll::Ready(guard) = task.poll() else {
            panic!("it is free");
        };
        let space = directory.to_string_lossy().into_owned();
        thread::scope(|scope| {
            scope.spawn(|| drop(files.key("key").lock().unwrap()));
            eventually("it is reported", || reports_of(&space).len() == 1);
            drop(guard);
        });
    });
}

/// A thread that blocks for a thread is nothing to report, and one that is part of a cycle
/// with a task is reported as that.
#[test]
fn only_what_a_task_is_part_of_is_reported() {
    in_time(|| {
        static THREADS: Locks = Locks::new("blocked by a thread");
        static CYCLE: Locks = Locks::new("blocked in a cycle");
        reports();
        let held = THREADS.key("key").lock();
        thread::scope(|scope| {
            let mut task = ByHand::new(async {
                let _own = CYCLE.key("task's").lock_async().await;
                CYCLE.key("thread's").lock_async().await
            });
            let (holds, is_held) = mpsc::channel();
            let (go, goes) = mpsc::channel();
            scope.spawn(move || {
                let _own = CYCLE.key("thread's").lock();
                holds.send(()).unwrap();
                goes.recv().unwrap();
                drop(CYCLE.key("task's").lock());
            });
            is_held.recv().unwrap();
            assert!(task.poll().is_pending());
            go.send(()).unwrap();
            scope.spawn(|| drop(THREADS.key("key").lock()));
            eventually("the cycle is reported", || {
                !reports_of("blocked in a cycle").is_empty()
            });
            // By now the threads have looked, twice.
            for space in ["blocked in a cycle", "blocked by a thread"] {
                eventually("they go on waiting", || {
                    longest_wait(space) > Some(Duration::from_millis(2500))
                });
            }
            drop((task, held));
        });
        let reports = reports_of("blocked in a cycle");
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0].lines().count(), 2);
        assert!(reports_of("blocked by a thread").is_empty());
    });
}

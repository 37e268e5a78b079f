//! Deadlocks: certain between threads, suspected where a task is part of one.

mod blocked;
mod closed;
mod copied;
mod crowded;
mod hook;
mod victim;

use lockutils::{AsyncGuard, Deadlock, ErrorKind, Guard, Locks, set_deadlock_hook, snapshot};
use lockutils_tests::{ByHand, eventually, in_time};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, Mutex, Once};
use std::thread;
use std::time::Duration;

/// Long enough that it is never over in a test.
const LONG: Duration = Duration::from_secs(3600);

/// The text of the panic, if there is one.
fn panic_text(blocks: impl FnOnce()) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(blocks)).err()?;
    Some(*payload.downcast::<String>().expect("the panic has a text"))
}

fn waiters(space: &str) -> usize {
    snapshot()
        .iter()
        .filter(|lock| lock.space == space)
        .map(|lock| lock.waiters)
        .sum()
}

/// Each thread holds the key of its number, and then takes the next one's. Returns what
/// `take` gives for the one that closed the cycle: there must be one such thread, and the
/// others must get their key after all.
fn cycle<R: Send>(
    locks: &'static Locks,
    size: usize,
    take: impl Fn(usize) -> Option<R> + Sync,
) -> R {
    let held = Barrier::new(size);
    let run = |number| {
        let _own = locks.key(number).lock();
        held.wait();
        take((number + 1) % size)
    };
    let mut closed = thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..size)
            .map(|number| scope.spawn(move || run(number)))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results.flatten().collect::<Vec<_>>()
    });
    assert_eq!(closed.len(), 1);
    closed.remove(0)
}

#[test]
fn own_key_is_a_deadlock() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("own key");
        let guard = LOCKS.key("key").lock();
        let text = panic_text(|| drop(LOCKS.key("key").lock())).expect("a panic");
        let head = "deadlock: waiting for lock \"own key/key\" would never end: held by ";
        assert!(text.starts_with(head), "{text}");
        // The lock is as it was.
        assert_eq!(waiters("own key"), 0);
        drop(guard);
        assert!(LOCKS.key("key").try_lock().is_ok());
    });
}

#[test]
fn own_key_with_a_timeout_is_an_error_at_once() {
    in_time(|| {
        let locks = Locks::new("own key, timed");
        let _guard = locks.key("key").lock();
        let error = locks.key("key").lock_timeout(LONG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        assert_eq!(error.key(), Some("key"));
        assert!(error.deadlock().is_some());
    });
}

#[test]
fn own_key_held_shared_is_a_deadlock_for_an_exclusive_hold() {
    in_time(|| {
        let locks = Locks::new("upgrade");
        let _shared = locks.key("key").shared().lock();
        let error = locks.key("key").lock_timeout(LONG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        let reentrant = locks.key("key").reentrant().lock_timeout(LONG);
        assert_eq!(reentrant.unwrap_err().kind(), ErrorKind::Deadlock);
    });
}

#[test]
fn own_key_among_several_is_a_deadlock_and_lets_the_others_go() {
    in_time(|| {
        let locks = Locks::new("own among several");
        let _guard = locks.key("b").lock();
        let error = locks.keys(["a", "b", "c"]).lock_timeout(LONG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        assert_eq!(error.key(), Some("b"));
        assert!(locks.key("a").try_lock().is_ok());
    });
}

#[test]
fn two_threads_that_take_each_others_key_are_a_deadlock() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("two");
        let error = cycle(&LOCKS, 2, |key| LOCKS.key(key).lock_timeout(LONG).err());
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        assert_eq!(waiters("two"), 0);
    });
}

#[test]
fn cycle_of_many_names_every_lock_and_place() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("many");
        let text = cycle(&LOCKS, 5, |key| panic_text(|| drop(LOCKS.key(key).lock())));
        let (_, lines) = text.split_once('\n').unwrap();
        assert_eq!(lines.lines().count(), 5, "{text}");
        for key in 0..5 {
            let waits = format!("waits for lock \"many/{key}\", held by ");
            let line = lines
                .lines()
                .find(|line| line.contains(&waits))
                .expect(&text);
            // Where it is waited for, and where it was taken.
            assert_eq!(line.matches(file!()).count(), 2, "{text}");
        }
    });
}

#[test]
fn one_shared_holder_that_waits_for_us_is_enough() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("shared holders");
        // Not in the cycle, and in the way of the writer as long as the cycle lasts.
        let bystander = LOCKS.key("shared").shared().lock();
        let held = Barrier::new(2);
        let (found, finds) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            let second = found.clone();
            scope.spawn(|| {
                let _shared = LOCKS.key("shared").shared().lock();
                held.wait();
                let own = LOCKS.key("own").lock_timeout(LONG);
                own.map_or_else(|error| found.send(error.kind()).unwrap(), drop);
            });
            let held = &held;
            scope.spawn(move || {
                let _own = LOCKS.key("own").lock();
                held.wait();
                let shared = LOCKS.key("shared").lock_timeout(LONG);
                shared.map_or_else(|error| second.send(error.kind()).unwrap(), drop);
            });
            assert_eq!(finds.recv(), Ok(ErrorKind::Deadlock));
            drop(bystander);
        });
        assert!(finds.try_recv().is_err());
    });
}

#[test]
fn permit_that_may_come_back_is_no_deadlock() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("permits").permits(2);
        let own = LOCKS.key("key").lock();
        let [held, waits] = [Barrier::new(2), Barrier::new(2)];
        thread::scope(|scope| {
            scope.spawn(|| {
                let other = LOCKS.key("key").lock();
                held.wait();
                waits.wait();
                eventually("the main thread waits", || waiters("permits") == 1);
                drop(other);
            });
            held.wait();
            waits.wait();
            // Both permits are taken, one by this thread; the other one comes back.
            drop(LOCKS.key("key").lock());
            // With both its own, nothing can come back.
            let second = LOCKS.key("key").lock();
            let error = LOCKS.key("key").lock_timeout(LONG).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deadlock);
            drop((own, second));
        });
    });
}

#[test]
fn waiter_that_timed_out_is_in_no_cycle() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("timed out");
        let [held, over] = [Barrier::new(2), Barrier::new(2)];
        thread::scope(|scope| {
            let guard = LOCKS.key("a").lock();
            scope.spawn(|| {
                let _b = LOCKS.key("b").lock();
                let late = LOCKS.key("a").lock_timeout(Duration::from_millis(1));
                assert_eq!(late.unwrap_err().kind(), ErrorKind::Timeout);
                held.wait();
                over.wait();
                eventually("the main thread waits", || waiters("timed out") == 1);
            });
            held.wait();
            over.wait();
            drop(LOCKS.key("b").lock());
            drop(guard);
        });
    });
}

#[test]
fn guard_that_was_sent_away_is_no_longer_the_threads() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("sent away");
        let guard: AsyncGuard = Guard::into_async(LOCKS.key("key").lock());
        thread::scope(|scope| {
            scope.spawn(move || {
                eventually("the main thread waits", || waiters("sent away") == 1);
                drop(guard);
            });
            drop(LOCKS.key("key").lock());
        });
    });
}

#[test]
fn thread_that_ended_with_a_forgotten_guard_is_no_deadlock() {
    in_time(|| {
        let locks = Locks::new("forgotten");
        thread::scope(|scope| {
            scope
                .spawn(|| std::mem::forget(locks.key("key").lock()))
                .join()
        })
        .unwrap();
        let error = locks
            .key("key")
            .lock_timeout(Duration::from_millis(1))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(
            error.to_string().ends_with("in a thread that has ended"),
            "{error}"
        );
    });
}

/// A wait with a timeout ends by itself, so it makes no other wait endless.
#[test]
fn cycle_that_a_timeout_ends_fails_nobody_else() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("timed peer");
        let held = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let own = LOCKS.key("b").lock();
                held.wait();
                let error = LOCKS.key("a").lock_timeout(Duration::from_millis(300));
                // Whether it saw the cycle closed or let time run out, it gives way.
                assert!(error.is_err());
                drop(own);
            });
            let _own = LOCKS.key("a").lock();
            held.wait();
            drop(LOCKS.key("b").lock());
        });
    });
}

/// Two permits, and waiters that are woken and have not come yet: nobody is stuck.
#[test]
fn permits_on_their_way_are_no_deadlock() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("permits in flight").permits(2);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        drop(LOCKS.key("key").lock());
                    }
                });
            }
        });
    });
}

/// Only threads that block are in certain deadlocks; many that take their keys in one
/// order are in none, however they are interleaved.
#[test]
fn keys_in_one_order_are_never_a_deadlock() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("one order");
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let _a = LOCKS.key("a").lock();
                        let _b = LOCKS.key("b").shared().lock();
                        let _c = LOCKS.key("c").lock_timeout(LONG).unwrap();
                    }
                });
            }
        });
    });
}

/// Of those who close a cycle at the same moment one finds it, and then the others go on.
#[test]
fn cycle_that_is_closed_from_all_sides_is_found_once() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("all sides");
        for _ in 0..200 {
            cycle(&LOCKS, 3, |key| LOCKS.key(key).lock_timeout(LONG).err());
        }
    });
}

/// The suspicions that the hook was called with. The hook is the process's, so all tests of
/// it share one, and look for their own space.
fn reports() -> &'static Mutex<Vec<String>> {
    static REPORTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
    static SET: Once = Once::new();
    SET.call_once(|| {
        set_deadlock_hook(|deadlock: &Deadlock| {
            let report = deadlock.to_string();
            REPORTS.lock().unwrap().push(report.clone());
            hook::panic_at(&report);
        });
    });
    &REPORTS
}

fn reports_of(space: &str) -> Vec<String> {
    let reports = reports().lock().unwrap();
    reports
        .iter()
        .filter(|report| report.contains(&format!("\"{space}/")))
        .cloned()
        .collect()
}

fn suspected(space: &str) -> usize {
    snapshot()
        .iter()
        .filter(|lock| lock.space == space && lock.suspected_deadlock)
        .count()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

#[test]
fn task_that_takes_its_own_key_is_told_what_to_do() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("own key");
        reports();
        let mut task = ByHand::new(async {
            let _guard = LOCKS.key("a").lock_async().await;
            LOCKS.key("a").lock_async().await
        });
        assert!(task.poll().is_pending());
        eventually("it is reported", || !reports_of("own key").is_empty());
        let report = reports_of("own key").remove(0);
        assert!(
            report.contains(": the same task, which can't re-enter; "),
            "{report}"
        );
    });
}

#[test]
fn tasks_that_take_each_others_key_are_reported_once() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("tasks");
        reports();
        let runtime = runtime();
        let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(2));
        let there = barrier.clone();
        let gives_up = runtime.spawn(async move {
            let _own = LOCKS.key("a").lock_async().await;
            there.wait().await;
            let timeout = Duration::from_secs(10);
            LOCKS.key("b").lock_timeout_async(timeout).await.map(drop)
        });
        let waits = runtime.spawn(async move {
            let _own = LOCKS.key("b").lock_async().await;
            barrier.wait().await;
            drop(LOCKS.key("a").lock_async().await);
        });
        eventually("the suspicion is reported", || {
            !reports_of("tasks").is_empty()
        });
        eventually("both are shown, until the one times out", || {
            suspected("tasks") == 2 || gives_up.is_finished()
        });
        // The one times out, with the suspicion in its text, and lets the other in.
        let error = runtime.block_on(gives_up).unwrap().unwrap_err();
        runtime.block_on(waits).unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(
            error.to_string().contains("; suspected deadlock:\n"),
            "{error}"
        );
        assert_eq!(reports_of("tasks").len(), 1);
        assert_eq!(reports_of("tasks")[0].lines().count(), 2);
        assert_eq!(suspected("tasks"), 0);
    });
}

#[test]
fn branches_of_one_task_are_never_failed() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("branches");
        let runtime = runtime();
        let (send, receive) = tokio::sync::oneshot::channel();
        let task = runtime.spawn(async move {
            let first = async {
                let guard = LOCKS.key("key").lock_async().await;
                receive.await.unwrap();
                drop(guard);
            };
            let second = async { drop(LOCKS.key("key").lock_async().await) };
            futures::future::join(first, second).await;
        });
        eventually("one branch waits for the other", || {
            waiters("branches") == 1
        });
        send.send(()).unwrap();
        runtime.block_on(task).unwrap();
    });
}

/// A suspicion that dissolves is not reported, also when its second is over.
#[test]
fn suspicion_that_dissolves_is_not_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("dissolves");
        static LATER: Locks = Locks::new("dissolves later");
        reports();
        // One task, by its waker, that holds the key and waits for it, for a moment.
        let mut task = ByHand::new(async {
            let _guard = LOCKS.key("key").lock_async().await;
            let waits = LOCKS.key("key").lock_async();
            drop(futures::future::poll_immediate(waits).await);
        });
        assert!(task.poll().is_ready());
        // One that is reported comes after it in line, so the first one's turn is over.
        let held = LATER.key("key").lock_async();
        let mut task = ByHand::new(async move {
            let _guard = held.await;
            LATER.key("key").lock_async().await
        });
        assert!(task.poll().is_pending());
        eventually("the later one is reported", || {
            reports_of("dissolves later").len() == 1
        });
        assert!(reports_of("dissolves").is_empty());
    });
}

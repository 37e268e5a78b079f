//! Cycles that are closed by a task which gets a lock, and not by who begins to wait.

use super::{reports, reports_of, suspected, waiters};
use futures::future::{join, poll_immediate};
use lockutils::Locks;
use lockutils_tests::{ByHand, eventually, in_time, states};
use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// A task that has one waker for as long as it lives, as executors have it.
struct Task<F> {
    future: Pin<Box<F>>,
    waker: Waker,
}

struct Called;

impl Wake for Called {
    fn wake(self: Arc<Self>) {}
}

impl<F: Future> Task<F> {
    /// One that is polled once, and then waits.
    fn new(future: F) -> Self {
        let mut task = Self {
            future: Box::pin(future),
            waker: Waker::from(Arc::new(Called)),
        };
        assert!(task.poll().is_pending());
        task
    }

    fn poll(&mut self) -> Poll<F::Output> {
        let mut context = Context::from_waker(&self.waker);
        self.future.as_mut().poll(&mut context)
    }
}

/// Has a lock for ever.
async fn keep(locks: &Locks, key: &str) {
    let _guard = locks.key(key).lock_async().await;
    pending::<()>().await;
}

/// Ends in the first poll after it was set.
async fn until(set: &Cell<bool>) {
    poll_fn(|_| {
        if set.get() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Has one lock, and when that is set waits for another one.
async fn take_both(locks: &Locks, [first, second]: [&str; 2], asks: &Cell<bool>) {
    let _guard = locks.key(first).lock_async().await;
    until(asks).await;
    keep(locks, second).await;
}

/// A task waits for "a" and, in another branch, for "b", which somebody has who waits for "a". The cycle is
/// closed as it gets "a", and not by who begins to wait. It has a waker of its own at each poll.
fn closes_by_getting(locks: &'static Locks, branch_that_waits_is_first: bool) {
    reports();
    let asks = Cell::new(false);
    let held = locks.key("a").lock();
    let mut branches = ByHand::new(async {
        let gets = async {
            let _guard = locks.key("a").lock_async().await;
            pending::<()>().await;
        };
        let waits = async {
            until(&asks).await;
            drop(locks.key("b").lock_async().await);
        };
        if branch_that_waits_is_first {
            join(waits, gets).await;
        } else {
            join(gets, waits).await;
        }
    });
    assert!(branches.poll().is_pending());
    let mut other = ByHand::new(async {
        let _guard = locks.key("b").lock_async().await;
        drop(locks.key("a").lock_async().await);
    });
    assert!(other.poll().is_pending());
    asks.set(true);
    assert!(branches.poll().is_pending());
    let space = locks.name();
    assert_eq!(waiters(space), 3);
    drop(held);
    assert!(branches.poll().is_pending());
    eventually("it is reported", || reports_of(space).len() == 1);
    assert_eq!(suspected(space), 2);
}

#[test]
fn task_that_gets_a_lock_while_another_branch_waits_is_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("gets one");
        static LATER: Locks = Locks::new("gets one after it waits");
        closes_by_getting(&LOCKS, false);
        closes_by_getting(&LATER, true);
    });
}

/// As it is when a lock is handed over: the task is known then by the waker that it has left.
#[test]
fn task_that_is_handed_a_lock_while_another_branch_waits_is_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("is handed one").fair();
        static LATER: Locks = Locks::new("is handed one after it waits").fair();
        closes_by_getting(&LOCKS, false);
        closes_by_getting(&LATER, true);
    });
}

/// How somebody takes a lock past its queue.
#[derive(Clone, Copy)]
enum Way {
    Waits,
    Tries,
    TakesSeveral,
}

/// A task waits for "b", which another one has that waits for "a", and is called. Before that one comes, another
/// branch of the first one takes "a". Gives false where "a" was handed over, since the other one has waited for a
/// millisecond.
fn closes_by_overtaking(locks: &'static Locks, round: u32, way: Way) -> bool {
    let [a, b] = ["a", "b"].map(|key| format!("{key}/{round}"));
    let [asks, overtakes, has] = [const { Cell::new(false) }; 3];
    let held = locks.key(&a).lock();
    let mut other = Task::new(take_both(locks, [&b, &a], &asks));
    let mut branches = Task::new(join(keep(locks, &b), async {
        until(&overtakes).await;
        let _guard = match way {
            Way::Waits => locks.key(&a).lock_async().await,
            Way::Tries => match locks.key(&a).try_lock_async().await {
                Ok(guard) => guard,
                Err(_) => return,
            },
            Way::TakesSeveral => locks.keys([&a, "c"]).lock_async().await,
        };
        has.set(true);
        pending::<()>().await;
    }));
    asks.set(true);
    assert!(other.poll().is_pending());
    drop(held);
    overtakes.set(true);
    assert!(branches.poll().is_pending());
    if !has.get() {
        return false;
    }
    let space = locks.name();
    eventually("it is reported", || reports_of(space).len() == 1);
    assert_eq!(suspected(space), 2);
    true
}

#[test]
fn task_that_overtakes_while_another_branch_waits_is_reported() {
    in_time(|| {
        static WAITS: Locks = Locks::new("overtakes");
        static TRIES: Locks = Locks::new("overtakes by a try");
        static SEVERAL: Locks = Locks::new("overtakes with several");
        reports();
        for (locks, way) in [
            (&WAITS, Way::Waits),
            (&TRIES, Way::Tries),
            (&SEVERAL, Way::TakesSeveral),
        ] {
            assert!((0..100_000).any(|round| closes_by_overtaking(locks, round, way)));
        }
    });
}

/// Asks for a lock, and then polls that future no more, and waits for another lock.
async fn let_be(locks: &Locks, key: &str, then: &str) {
    let mut asked = Box::pin(keep(locks, key));
    assert_eq!(poll_immediate(&mut asked).await, None);
    keep(locks, then).await;
}

fn assert_handed_over(space: &str) {
    eventually("it is reported", || !reports_of(space).is_empty());
    let reports = reports_of(space);
    let [report] = &reports[..] else {
        panic!("one report, not {reports:?}");
    };
    let parts = [
        ", handed to ",
        " ago, whose future has not been polled since",
    ];
    assert!(parts.iter().all(|part| report.contains(part)), "{report}");
    // There is nothing to release: the task is to come for it.
    assert!(!report.contains("re-enter"), "{report}");
}

/// As `select!` does that has a reference of a future, and in another branch waits for the same lock.
#[test]
fn task_that_waits_for_what_it_was_handed_is_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("was handed").fair();
        reports();
        let held = LOCKS.key("a").lock();
        let mut task = Task::new(let_be(&LOCKS, "a", "a"));
        drop(held);
        assert!(task.poll().is_pending());
        assert_handed_over(LOCKS.name());
        assert_eq!(suspected(LOCKS.name()), 1);
        // It is known by now.
        assert!(task.poll().is_pending());
        drop(task);
        assert_eq!(suspected(LOCKS.name()), 0);
        assert!(LOCKS.key("a").try_lock().is_ok());
    });
}

/// The same over another lock. Gives false where the lock was not handed over, or not called for, as it was to be: who has
/// waited for less than a millisecond is called to take it, unless it is fair.
fn closes_without_coming(locks: &'static Locks, round: u32, is_handed_over: bool) -> bool {
    let [a, b] = ["a", "b"].map(|key| format!("{key}/{round}"));
    let asks = Cell::new(false);
    let held = locks.key(&a).lock();
    let mut other = Task::new(take_both(locks, [&b, &a], &asks));
    let mut task = Task::new(let_be(locks, &a, &b));
    asks.set(true);
    assert!(other.poll().is_pending());
    drop(held);
    if locks.key(&a).is_locked() != is_handed_over {
        return false;
    }
    assert!(task.poll().is_pending());
    assert_handed_over(locks.name());
    assert_eq!(suspected(locks.name()), 2);
    true
}

#[test]
fn task_that_waits_for_who_waits_for_what_it_was_handed_is_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("was called");
        static FAIR: Locks = Locks::new("was handed one of two").fair();
        reports();
        assert!((0..100_000).any(|round| closes_without_coming(&LOCKS, round, false)));
        assert!(closes_without_coming(&FAIR, 0, true));
    });
}

/// A task is called to take a lock, which it lets be, and somebody else is faster. When the lock is handed to it, that it
/// is to have it is known: it isn't polled again. Gives false where it was handed over at once.
fn closes_by_silent_hand_over(locks: &'static Locks, round: u32) -> bool {
    let [a, b] = ["a", "b"].map(|key| format!("{key}/{round}"));
    let asks = Cell::new(false);
    let held = locks.key(&a).lock();
    let mut other = Task::new(take_both(locks, [&b, &a], &asks));
    let mut task = Task::new(let_be(locks, &a, &b));
    drop(held);
    let Ok(faster) = locks.key(&a).try_lock() else {
        return false;
    };
    assert!(task.poll().is_pending());
    asks.set(true);
    assert!(other.poll().is_pending());
    eventually("no more can it be overtaken", || {
        let locks = states(locks);
        locks
            .iter()
            .any(|lock| lock.longest_wait > Some(Duration::from_millis(1)))
    });
    drop(faster);
    assert_handed_over(locks.name());
    assert_eq!(suspected(locks.name()), 2);
    true
}

#[test]
fn task_that_was_overtaken_and_then_handed_a_lock_that_it_lets_be_is_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("was overtaken");
        reports();
        assert!((0..100_000).any(|round| closes_by_silent_hand_over(&LOCKS, round)));
    });
}

/// Of two branches that wait for a third party the one is behind the other.
#[test]
fn branch_that_is_behind_another_one_of_its_task_is_not_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("behind its own");
        reports();
        let reads = LOCKS.key("a").shared().lock();
        let mut task = Task::new(join(
            async { drop(LOCKS.key("a").lock_async().await) },
            async { drop(LOCKS.key("a").shared().lock_async().await) },
        ));
        let held = LOCKS.key("later").lock_async();
        let _later = Task::new(async {
            let _guard = held.await;
            LOCKS.key("later").lock_async().await
        });
        eventually("the later one is reported", || {
            !reports_of(LOCKS.name()).is_empty()
        });
        drop(reads);
        eventually("it goes on", || task.poll().is_ready());
        let reports = reports_of(LOCKS.name());
        assert!(
            reports.len() == 1 && reports[0].contains("later"),
            "{reports:?}"
        );
    });
}

/// A task that finds itself in its own way, and goes on: it comes for what it was handed, or gives it up.
#[test]
fn task_that_comes_for_what_it_was_handed_is_not_reported() {
    in_time(|| {
        static LOCKS: Locks = Locks::new("comes for it").fair();
        static LATER: Locks = Locks::new("comes not").fair();
        reports();
        for comes in [true, false] {
            let goes_on = Cell::new(false);
            let held = LOCKS.key("a").lock();
            let mut task = Task::new(async {
                let mut asked = Box::pin(LOCKS.key("a").lock_async());
                assert!(poll_immediate(&mut asked).await.is_none());
                let mut waits = Box::pin(LOCKS.key("a").lock_async());
                assert!(poll_immediate(&mut waits).await.is_none());
                until(&goes_on).await;
                assert!(poll_immediate(&mut waits).await.is_none());
                if comes {
                    drop(asked.await);
                } else {
                    drop(asked);
                }
                drop(waits.await);
            });
            drop(held);
            goes_on.set(true);
            assert!(task.poll().is_ready());
        }
        let held = LATER.key("a").lock();
        let mut task = Task::new(let_be(&LATER, "a", "a"));
        drop(held);
        assert!(task.poll().is_pending());
        assert_handed_over(LATER.name());
        assert!(reports_of(LOCKS.name()).is_empty());
    });
}

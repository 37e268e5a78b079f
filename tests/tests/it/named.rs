//! Tasks that have a name, which all texts call them by.

use futures::future::{self, poll_immediate};
use futures::stream::{FuturesUnordered, StreamExt as _};
use lockutils::{Holder, Locks, named};
use lockutils_tests::{ByHand, eventually, in_time, states, waiters};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::thread;

/// The only holder of the space's only lock.
fn holder(locks: &Locks) -> Holder {
    let [lock] = &states(locks)[..] else {
        panic!("one lock is held");
    };
    let [holder] = &lock.holders[..] else {
        panic!("one holds it");
    };
    holder.clone()
}

/// What those are called that wait for the space's only lock, in the order of the queue.
fn queue(locks: &Locks) -> Vec<Option<String>> {
    let label = |waiter: &lockutils::Waiter| waiter.who().label().map(str::to_owned);
    states(locks)[0].queue.iter().map(label).collect()
}

/// Takes a lock, and keeps it.
async fn keep(locks: &Locks, key: u32) {
    let _guard = locks.key(key).lock_async().await;
    pending::<()>().await;
}

/// Polls once, as a task that has no waker of its own.
fn poll<F: Future>(future: Pin<&mut F>) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    future.poll(&mut context).is_ready()
}

#[test]
fn holder_and_waiters_are_called_by_the_names_of_their_tasks() {
    in_time(|| {
        let locks = Locks::new("named");
        let mut first = ByHand::new(named("first", keep(&locks, 7)));
        let mut second = ByHand::new(named(String::from("second"), keep(&locks, 7)));
        let mut third = ByHand::new(keep(&locks, 7));
        assert!(first.poll().is_pending() && second.poll().is_pending());
        assert!(third.poll().is_pending());
        assert_eq!(holder(&locks).label(), Some("first"));
        assert_eq!(queue(&locks), [Some("second".into()), None]);
        let text = locks.key(7).try_lock().unwrap_err().to_string();
        assert!(text.ends_with(" in task \"first\""), "{text}");
        drop(first);
        assert!(second.poll().is_pending());
        assert_eq!(holder(&locks).label(), Some("second"));
    });
}

/// Those wake by wakers of their own.
#[test]
fn futures_below_a_name_wait_and_hold_by_it() {
    in_time(|| {
        let locks = Locks::new("named, unordered");
        let guard = locks.key(7).lock();
        let waits = [(); 2].map(|()| keep(&locks, 7));
        let mut all: FuturesUnordered<_> = waits.into_iter().collect();
        let mut task = ByHand::new(named("all", async { all.next().await }));
        assert!(task.poll().is_pending());
        assert_eq!(queue(&locks), [Some("all".into()), Some("all".into())]);
        drop(guard);
        assert!(task.poll().is_pending());
        assert_eq!(holder(&locks).label(), Some("all"));
        drop(task);
        drop(all);

        let keeps = (0..2).map(|key| named(format!("{key}"), keep(&locks, key)));
        let mut all: FuturesUnordered<_> = keeps.collect();
        assert!(ByHand::new(all.next()).poll().is_pending());
        let labels = states(&locks)
            .into_iter()
            .map(|lock| lock.holders[0].label().map(str::to_owned));
        assert_eq!(
            labels.collect::<Vec<_>>(),
            [Some("0".into()), Some("1".into())]
        );
    });
}

#[test]
fn inner_name_stands_until_its_future_ends() {
    in_time(|| {
        let locks = Locks::new("named, nested");
        let other = Locks::new("named, nested, awaited");
        let held = other.key(7).lock();
        let mut task = pin!(named("outer", async {
            let _guard = locks.key(7).lock_async().await;
            let inner = async { drop(other.key(7).lock_async().await) };
            named("inner", inner).await;
            pending::<()>().await;
        }));
        assert!(!poll(task.as_mut()));
        assert_eq!(queue(&other), [Some("inner".into())]);
        assert_eq!(holder(&locks).label(), Some("inner"));
        drop(held);
        assert!(!poll(task.as_mut()));
        assert_eq!(holder(&locks).label(), Some("outer"));
    });
}

#[test]
fn holds_of_named_branches_have_the_name_around_them() {
    in_time(|| {
        let locks = Locks::new("named, branches");
        let branches = || {
            future::join(
                named("left", keep(&locks, 7)),
                named("right", keep(&locks, 7)),
            )
        };
        let mut task = ByHand::new(branches());
        assert!(task.poll().is_pending());
        assert_eq!(holder(&locks).label(), None);
        assert_eq!(queue(&locks), [Some("right".into())]);
        drop(task);
        let mut task = ByHand::new(named("around", branches()));
        assert!(task.poll().is_pending());
        assert_eq!(holder(&locks).label(), Some("around"));
        assert_eq!(queue(&locks), [Some("right".into())]);
    });
}

#[test]
fn name_ends_with_its_future_and_goes_along_to_another_waker() {
    in_time(|| {
        let locks = Locks::new("named, ended");
        let mut take = named("takes", locks.key(7).lock_async());
        let taken = pollster::block_on(async { poll_immediate(&mut take).await });
        let guard = taken.expect("it is free");
        drop(take);
        assert_eq!(holder(&locks).label(), None);
        drop(guard);

        // Polled in vain by one waker, and then by another.
        let (go, mut goes) = tokio::sync::oneshot::channel::<()>();
        let mut task = ByHand::new(named("moves", async {
            (&mut goes).await.unwrap();
            keep(&locks, 7).await;
        }));
        assert!(task.poll().is_pending());
        go.send(()).unwrap();
        assert!(task.poll().is_pending());
        assert_eq!(holder(&locks).label(), Some("moves"));
    });
}

#[test]
fn name_is_not_the_threads_after_a_panic() {
    in_time(|| {
        let locks = Locks::new("named, panicked");
        let _guard = locks.key(7).lock();
        let mut inner = ByHand::new(named("panics", async { panic!("as it should") }));
        let mut task = ByHand::new(named("outer", async {
            assert!(catch_unwind(AssertUnwindSafe(|| inner.poll())).is_err());
            keep(&locks, 7).await;
        }));
        assert!(task.poll().is_pending());
        let mut unnamed = ByHand::new(keep(&locks, 7));
        assert!(unnamed.poll().is_pending());
        assert_eq!(queue(&locks), [Some("outer".into()), None]);
    });
}

#[test]
fn thread_that_blocks_in_a_named_task_is_shown_with_it() {
    in_time(|| {
        let locks = Locks::new("named, blocked");
        let guard = locks.key(7).lock();
        thread::scope(|scope| {
            let body = || {
                let blocks = async { drop(locks.key(7).lock()) };
                pollster::block_on(named("a \"task\"", blocks));
            };
            let thread = thread::Builder::new().name("worker".into());
            thread.spawn_scoped(scope, body).unwrap();
            eventually("it waits", || waiters(&locks) == 1);
            let lock = &states(&locks)[0];
            let text = lock.queue[0].who().to_string();
            let end = " in thread \"worker\", task \"a \\\"task\\\"\"";
            assert!(text.ends_with(end), "{text}");
            drop(guard);
        });
    });
}

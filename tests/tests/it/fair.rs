//! Strict fairness: first come, first served, from the first moment on.

use lockutils::{AsyncGuard, ErrorKind, Locks};
use lockutils_tests::{ByHand, eventually, in_time, states, waiters, yield_now};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// Ten come one after the other while the lock is held, and are served in that order:
/// threads where `is_thread`, else tasks.
///
/// oslo.concurrency: `test_lock_internal_fair`, which has threads.
fn ten_are_served_in_order(space: &'static str, is_thread: fn(usize) -> bool) {
    const ARRIVALS: usize = 10;
    let locks = Arc::new(Locks::new(space).fair());
    let served = Arc::new(Mutex::new(Vec::new()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let guard = locks.key("key").lock();
    let (mut threads, mut tasks) = (Vec::new(), Vec::new());
    for arrival in 0..ARRIVALS {
        let (locks, served) = (Arc::clone(&locks), Arc::clone(&served));
        let arrived = Arc::clone(&locks);
        if is_thread(arrival) {
            threads.push(thread::spawn(move || {
                let _guard = locks.key("key").lock();
                served.lock().unwrap().push(arrival);
            }));
        } else {
            tasks.push(runtime.spawn(async move {
                let _guard = locks.key("key").lock_async().await;
                served.lock().unwrap().push(arrival);
                yield_now().await;
            }));
        }
        eventually("it waits", || waiters(&arrived) == arrival + 1);
    }
    drop(guard);
    for thread in threads {
        thread.join().unwrap();
    }
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    let served = served.lock().unwrap();
    assert!(served.iter().copied().eq(0..ARRIVALS), "{served:?}");
}

#[test]
fn threads_are_served_in_the_order_of_their_arrival() {
    in_time(|| ten_are_served_in_order("ten threads", |_| true));
}

#[test]
fn tasks_are_served_in_the_order_of_their_arrival() {
    in_time(|| ten_are_served_in_order("ten tasks", |_| false));
}

#[test]
fn threads_and_tasks_are_served_in_the_order_of_their_arrival() {
    in_time(|| ten_are_served_in_order("ten of both", |arrival| arrival % 2 == 0));
}

/// Not in any of the ways in which one could, and not in the first millisecond either:
/// a lock that is released belongs to the waiter at once.
#[test]
fn newcomer_does_not_overtake() {
    in_time(|| {
        let locks = Locks::new("newcomer").fair();
        let key = || locks.key("key");
        for _ in 0..100 {
            let guard = key().lock();
            let mut waiter = ByHand::new(key().lock_async());
            assert!(waiter.poll().is_pending());
            drop(guard);
            assert_eq!(waiter.woken(), 1);
            assert_eq!(key().try_lock().unwrap_err().kind(), ErrorKind::Busy);
            assert!(key().lock_timeout(Duration::ZERO).is_err());
            assert!(key().shared().try_lock().is_err());
            let mut newcomer = ByHand::new(key().lock_async());
            assert!(newcomer.poll().is_pending());
            assert!(waiter.poll().is_ready());
            assert!(newcomer.poll().is_ready());
        }
    });
}

/// A thread that lets go and locks again comes behind the one that waits, each time. The
/// same two threads in a space that isn't fair take hundreds of turns at once.
#[test]
fn thread_that_locks_again_comes_behind_who_waits() {
    const TURNS: usize = 300;
    in_time(|| {
        let locks = Locks::new("again").fair();
        let others_turns = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..TURNS {
                    let _guard = locks.key("key").lock();
                    others_turns.fetch_add(1, Ordering::SeqCst);
                }
            });
            loop {
                let guard = locks.key("key").lock();
                let turns = others_turns.load(Ordering::SeqCst);
                if turns == TURNS {
                    break;
                }
                eventually("the other waits", || waiters(&locks) == 1);
                drop(guard);
                drop(locks.key("key").lock());
                assert!(others_turns.load(Ordering::SeqCst) > turns, "overtook");
            }
        });
    });
}

/// One that had the lock. The times are of a clock that goes on by one whenever it is asked, so that
/// they say in which order things were, and nothing of how long they took.
struct Hold {
    /// Before it asked for the lock.
    begun: usize,
    /// When it was in the queue, if it came there and can say so.
    queued: Option<usize>,
    /// While it had the lock.
    served: usize,
}

/// Who is in the queue keeps its place, however short the holds are: nobody has the lock before it
/// that asked only then. Blocked threads can't say when they came there, so they only overtake.
#[test]
fn short_holds_do_not_overtake_who_waits() {
    const HOLDS: usize = 20_000;
    in_time(|| {
        let locks = Locks::new("short holds").fair();
        let clock = AtomicUsize::new(0);
        let now = || clock.fetch_add(1, Ordering::SeqCst);
        let by_thread = || {
            let begun = now();
            let _guard = locks.key("key").lock();
            Hold {
                begun,
                queued: None,
                served: now(),
            }
        };
        let by_task = || {
            let begun = now();
            let mut wait = ByHand::new(locks.key("key").lock_async());
            let (queued, _guard) = match wait.poll() {
                Poll::Ready(guard) => (None, guard),
                Poll::Pending => (Some(now()), wait.finish()),
            };
            Hold {
                begun,
                queued,
                served: now(),
            }
        };
        let many = |one: &dyn Fn() -> Hold| (0..HOLDS).map(|_| one()).collect::<Vec<_>>();
        let all: Vec<Hold> = thread::scope(|scope| {
            let guard = locks.key("key").lock();
            let tasks = [(); 2].map(|()| scope.spawn(|| many(&by_task)));
            let threads = [(); 2].map(|()| scope.spawn(|| many(&by_thread)));
            eventually("all wait", || waiters(&locks) == 4);
            drop(guard);
            let all = tasks.into_iter().chain(threads);
            all.flat_map(|thread| thread.join().unwrap()).collect()
        });
        let mut waited: Vec<_> = all
            .iter()
            .filter_map(|one| Some((one.queued?, one.served)))
            .collect();
        waited.sort_unstable();
        assert!(waited.len() >= 2, "the first of both tasks");
        let mut latest = 0;
        for (_, served) in &mut waited {
            latest = latest.max(*served);
            *served = latest;
        }
        for one in all {
            let queued_before = waited.partition_point(|(queued, _)| *queued < one.begun);
            let served_last = waited[..queued_before].last().map(|(_, latest)| *latest);
            assert!(served_last < Some(one.served), "overtook");
        }
    });
}

#[test]
fn those_who_leave_do_not_change_the_order() {
    in_time(|| {
        let locks = Locks::new("who leave").fair();
        let mut guard = locks.key("key").lock().into_async();
        let mut queue: Vec<_> = (0..8)
            .map(|_| ByHand::new(locks.key("key").lock_async()))
            .collect();
        assert!(queue.iter_mut().all(|waiter| waiter.poll().is_pending()));
        for left in [7, 4, 3, 0] {
            drop(queue.remove(left));
        }
        for index in 0..queue.len() {
            let queued = queue[index..].iter().map(ByHand::woken).sum::<usize>();
            assert_eq!(queued, 0);
            drop(guard);
            // The last of them, whom it was handed to, leaves as well.
            guard = match queue[index].poll() {
                Poll::Ready(guard) => guard,
                Poll::Pending => panic!("number {index} is next"),
            };
        }
        drop(guard);
        assert!(states(&locks).is_empty());
    });
}

#[test]
fn lock_that_was_handed_to_one_who_leaves_goes_to_the_next() {
    in_time(|| {
        let locks = Locks::new("handed on").fair();
        let guard = locks.key("key").lock();
        let mut queue = [(); 3].map(|()| ByHand::new(locks.key("key").lock_async()));
        assert!(queue.iter_mut().all(|waiter| waiter.poll().is_pending()));
        let [first, second, mut third] = queue;
        drop(guard);
        drop(first);
        assert_eq!((second.woken(), third.woken()), (1, 0));
        drop(second);
        assert_eq!(third.woken(), 1);
        assert!(third.poll().is_ready());
        assert!(states(&locks).is_empty());
    });
}

/// Shared and exclusive holds in the order in which they came; those next to each other
/// that are shared come in together.
#[test]
fn shared_and_exclusive_holds_are_served_in_order() {
    in_time(|| {
        let locks = Locks::new("shared in order").fair();
        let shared = |shared| {
            let key = locks.key("key");
            let wait = if shared {
                key.shared().lock_async()
            } else {
                key.lock_async()
            };
            ByHand::new(wait)
        };
        let mut queue = [true, true, false, false, true, false, true, true].map(shared);
        let mut guards = vec![locks.key("key").lock().into_async()];
        assert!(queue.iter_mut().all(|waiter| waiter.poll().is_pending()));
        let mut next = 0;
        for together in [2, 1, 1, 1, 1, 2] {
            drop(std::mem::take(&mut guards));
            let woken = queue[next..].iter().filter(|waiter| waiter.woken() == 1);
            assert_eq!(woken.count(), together);
            assert!(locks.key("key").shared().try_lock().is_err() || next + together == 8);
            let served = queue[next..next + together].iter_mut().map(|waiter| {
                let Poll::Ready(guard) = waiter.poll() else {
                    panic!("it is its turn");
                };
                guard
            });
            guards = served.collect::<Vec<AsyncGuard>>();
            next += together;
        }
        drop(guards);
        assert!(states(&locks).is_empty());
    });
}

/// Permits go to those who wait, one each, and none is left for a newcomer.
#[test]
fn permits_go_to_those_who_wait() {
    in_time(|| {
        let locks = Locks::new("fair permits").permits(2).fair();
        let mut guards = vec![(); 2]
            .into_iter()
            .map(|()| locks.key("key").lock().into_async())
            .collect::<Vec<_>>();
        let mut queue = [(); 3].map(|()| ByHand::new(locks.key("key").lock_async()));
        assert!(queue.iter_mut().all(|waiter| waiter.poll().is_pending()));
        for index in 0..2 {
            drop(guards.pop());
            let woken: Vec<_> = queue.iter().map(ByHand::woken).collect();
            assert_eq!(woken.iter().sum::<usize>(), index + 1);
            assert_eq!(woken[index], 1);
            assert!(locks.key("key").try_lock().is_err());
        }
        let [mut first, mut second, mut third] = queue;
        let (first, second) = (first.poll(), second.poll());
        assert!(first.is_ready() && second.is_ready());
        drop(second);
        assert_eq!(third.woken(), 1);
        assert!(third.poll().is_ready());
    });
}

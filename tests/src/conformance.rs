//! What every lock space must pass, whatever engine is behind it.
//!
//! An [`Engine`] makes spaces, and [`conformance!`](crate::conformance!) makes a test
//! of each function below. The functions know nothing but the trait
//! [`Space`]: what is particular to one engine is tested elsewhere. A capability
//! that an engine lacks skips a case; it never changes what the case checks.

#![expect(
    clippy::missing_panics_doc,
    reason = "a case panics where the engine fails it, and nowhere else"
)]

use crate::{ByHand, Lockstep, Recorder, eventually, yield_now};
use futures::executor::{LocalPool, ThreadPool};
use futures::future;
use futures::task::{LocalSpawnExt as _, SpawnExt as _};
use lockutils::engine::{Acquire, Begun, Machine, Mode, Reentry, Space};
use lockutils::{AsyncGuard, Error, ErrorKind, Guard, Key, LockKey, Site};
use std::fmt::Debug;
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// An engine under test.
pub trait Engine {
    /// The lock space that the engine provides.
    type Space: Space<Machine: Machine<Hold: Send, Failure: Debug + Send> + Send + 'static>
        + Send
        + Sync
        + 'static;

    /// Whether the empty text is a key.
    const EMPTY_KEY: bool;

    /// Makes a space in which nobody but the caller locks anything.
    fn space() -> Self::Space;
}

/// Makes a test of every case, for the [`Engine`] that is named.
#[macro_export]
macro_rules! conformance {
    ($engine:ty) => {
        $crate::conformance! { $engine:
            same_key_excludes_threads
            same_key_excludes_tasks
            same_key_excludes_threads_and_tasks
            key_tried_by_two_threads_at_once_goes_to_one
            different_keys_overlap_between_threads
            different_keys_overlap_between_tasks_of_one_thread
            different_keys_overlap_between_thread_and_task
            one_thread_holds_many_keys_at_once
            drop_releases
            async_guard_is_released_on_another_thread
            try_on_a_held_key_is_busy
            try_is_busy_for_the_holder_too
            panic_of_a_thread_releases
            panic_of_a_task_releases
            future_that_was_not_polled_holds_nothing
            cancelled_holder_releases
            cancelled_waiter_leaves_queue
            cancelled_waiter_lets_those_behind_it_through
            dropped_waiters_lose_no_hand_over
            async_waiter_does_not_stall_its_thread
            blocked_thread_is_freed_by_a_task
            tasks_need_no_tokio
            equal_text_is_one_lock_whatever_the_type
            different_text_is_another_lock
            empty_key_is_a_lock
            long_key_is_a_lock
            space_by_reference_is_the_same_space
            shared_holders_are_inside_together
            reentrant_thread_goes_straight_in
            blocking_wait_times_out
            async_wait_times_out
            wait_that_times_out_leaves_queue
            lock_that_is_released_in_time_is_had
            try_of_a_task_is_busy_or_has_the_lock
            keys_are_held_together
            keys_in_any_order_do_not_deadlock
            keys_that_are_not_all_free_are_not_tried_in_part
            cancelled_wait_for_keys_holds_none
        }
    };
    ($engine:ty: $($case:ident)*) => {$(
        #[test]
        fn $case() {
            $crate::in_time($crate::conformance::$case::<$engine>);
        }
    )*};
}

const KEY: &str = "key";

fn hold<S: Space<Machine: Machine<Failure: Debug>>>(space: &S, key: impl LockKey) -> Guard {
    match space.begin(&key, Mode::Exclusive, Site::here()) {
        Begun::Held(held) => held.into(),
        Begun::Wait(acquire) => acquire.block().unwrap(),
    }
}

/// The future borrows neither the space nor the key.
fn hold_async<S: Space<Machine: Machine<Failure: Debug>>, K: LockKey>(
    space: &S,
    key: K,
) -> impl Future<Output = AsyncGuard> + use<S, K> {
    let acquire = space.wait(&key, Mode::Exclusive, Site::here());
    async move { acquire.await.unwrap() }
}

fn try_hold<S: Space>(space: &S, key: impl LockKey) -> Result<Guard, Error> {
    try_on(space, key, Mode::Exclusive)
}

fn try_on<S: Space>(space: &S, key: impl LockKey, mode: Mode) -> Result<Guard, Error> {
    match space.begin(&key, mode, Site::here()) {
        Begun::Held(held) => Ok(held.into()),
        Begun::Wait(acquire) => acquire.try_now(),
    }
}

fn hold_all<S: Space<Machine: Machine<Failure: Debug>>>(space: &S, keys: &[&str]) -> Guard {
    wait_for_all(space, keys).block().unwrap()
}

fn wait_for_all<S: Space>(space: &S, keys: &[&str]) -> Acquire<S::Machine> {
    let keys = keys.iter().map(Key::new).collect();
    space.wait_all(keys, Mode::Exclusive, Site::here())
}

fn is_free<S: Space>(space: &S, key: impl LockKey) -> bool {
    try_hold(space, key).is_ok()
}

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

fn many_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap()
}

/// Threads and tasks that all take one key, again and again.
fn contend<E: Engine>(threads: usize, tasks: usize, rounds: usize) {
    let space = Arc::new(E::space());
    let recorder = Arc::new(Recorder::new());
    let runtime = many_threads();
    let tasks_ended: Vec<_> = (0..tasks)
        .map(|_| {
            let (space, recorder) = (Arc::clone(&space), Arc::clone(&recorder));
            runtime.spawn(async move {
                for _ in 0..rounds {
                    let _guard = hold_async(&space, KEY).await;
                    let _stay = recorder.enter();
                    yield_now().await;
                }
            })
        })
        .collect();
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                start.wait();
                for _ in 0..rounds {
                    let _guard = hold(&space, KEY);
                    let _stay = recorder.enter();
                    thread::yield_now();
                }
            });
        }
    });
    runtime.block_on(async {
        for task in tasks_ended {
            task.await.unwrap();
        }
    });
    recorder.assert_exclusive((threads + tasks) * rounds);
    assert!(is_free(&space, KEY));
}

/// Ten threads of one key are inside one after the other.
pub fn same_key_excludes_threads<E: Engine>() {
    contend::<E>(10, 0, 100);
}

/// A hundred tasks of one key are inside one after the other, though each gives way
/// inside.
pub fn same_key_excludes_tasks<E: Engine>() {
    contend::<E>(0, 100, 10);
}

/// Threads and tasks exclude each other, not only their own kind.
pub fn same_key_excludes_threads_and_tasks<E: Engine>() {
    contend::<E>(5, 50, 20);
}

/// Two threads come to a free key in the very same moment, and one of them gets it.
/// Another key each time, so that whatever is left of the one before is wrong.
pub fn key_tried_by_two_threads_at_once_goes_to_one<E: Engine>() {
    let space = E::space();
    let lockstep = Lockstep::new();
    let taken = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    let start = Instant::now();
    let try_all = |side: usize| {
        for key in 0_usize.. {
            lockstep.meet(side);
            if over.load(Ordering::SeqCst) {
                return key;
            }
            let tried = try_hold(&space, key);
            taken.fetch_add(usize::from(tried.is_ok()), Ordering::SeqCst);
            lockstep.meet(side); // Nobody lets go before both have tried.
            if side == 0 && start.elapsed() > Duration::from_millis(300) {
                over.store(true, Ordering::SeqCst);
            }
        }
        unreachable!("there are more keys than time")
    };
    let tried = thread::scope(|scope| {
        scope.spawn(|| try_all(0));
        try_all(1)
    });
    assert_eq!(taken.into_inner(), tried, "so many keys");
}

/// Two threads are inside at once.
pub fn different_keys_overlap_between_threads<E: Engine>() {
    let space = E::space();
    let both_inside = Barrier::new(2);
    thread::scope(|scope| {
        for key in ["a", "b"] {
            let (space, both_inside) = (&space, &both_inside);
            scope.spawn(move || {
                let _guard = hold(space, key);
                both_inside.wait();
            });
        }
    });
}

/// Two tasks are inside at once, on one thread.
pub fn different_keys_overlap_between_tasks_of_one_thread<E: Engine>() {
    let space = E::space();
    let both_inside = tokio::sync::Barrier::new(2);
    let stay = async |key| {
        let _guard = hold_async(&space, key).await;
        both_inside.wait().await;
    };
    one_thread().block_on(future::join(stay("a"), stay("b")));
}

/// A thread and a task are inside at once.
pub fn different_keys_overlap_between_thread_and_task<E: Engine>() {
    let space = E::space();
    let both_inside = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = hold(&space, "a");
            both_inside.wait();
        });
        one_thread().block_on(async {
            let _guard = hold_async(&space, "b").await;
            both_inside.wait();
        });
    });
}

/// However an engine sorts keys, none waits for another: more keys than any table
/// has parts are held by one thread, which would wait for itself.
pub fn one_thread_holds_many_keys_at_once<E: Engine>() {
    let space = E::space();
    let guards: Vec<_> = (0..1000).map(|key| hold(&space, key)).collect();
    assert!((0..1000).all(|key| !is_free(&space, key)));
    drop(guards);
    assert!((0..1000).all(|key| is_free(&space, key)));
}

/// The lock is held until the guard is dropped, by a thread and by a task.
pub fn drop_releases<E: Engine>() {
    let space = E::space();
    let guard = hold(&space, KEY);
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));

    let guard = one_thread().block_on(hold_async(&space, KEY));
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// A task may move to another thread while it holds a lock.
pub fn async_guard_is_released_on_another_thread<E: Engine>() {
    let space = E::space();
    let guard = one_thread().block_on(hold_async(&space, KEY));
    thread::spawn(move || drop(guard)).join().unwrap();
    assert!(is_free(&space, KEY));
}

/// A try gives up at once, says why, and leaves the holder alone.
pub fn try_on_a_held_key_is_busy<E: Engine>() {
    let space = E::space();
    let guard = hold(&space, ("vm", 7));
    let error = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let tried = try_hold(&space, ("vm", 7));
            tried.map(drop).unwrap_err()
        });
        other.join().unwrap()
    });
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.key(), Some("vm/7"));
    assert_eq!(error.waited(), Duration::ZERO);
    assert!(!is_free(&space, ("vm", 7)));
    drop(guard);
    assert!(is_free(&space, ("vm", 7)));
}

/// A try of a key that one holds oneself doesn't wait for ever. Twice, and after a
/// success as well.
pub fn try_is_busy_for_the_holder_too<E: Engine>() {
    let space = E::space();
    let guard = try_hold(&space, KEY);
    assert!(guard.is_ok());
    for _ in 0..2 {
        let again = try_hold(&space, KEY);
        assert_eq!(again.map(drop).unwrap_err().kind(), ErrorKind::Busy);
    }
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// A panic releases, and doesn't spoil the lock for those who wait.
pub fn panic_of_a_thread_releases<E: Engine>() {
    let space = E::space();
    let (held, queued) = (Barrier::new(2), Barrier::new(2));
    let mut waiter = ByHand::new(hold_async(&space, KEY));
    thread::scope(|scope| {
        let panicking = scope.spawn(|| {
            let _guard = hold(&space, KEY);
            held.wait();
            queued.wait();
            panic!("inside");
        });
        held.wait();
        assert!(waiter.poll().is_pending());
        queued.wait();
        assert!(panicking.join().is_err());
    });
    drop(waiter.finish());
    assert!(is_free(&space, KEY));
}

/// The same in a task.
pub fn panic_of_a_task_releases<E: Engine>() {
    let space = Arc::new(E::space());
    let runtime = one_thread();
    let (held, is_held) = oneshot::channel();
    let (queued, is_queued) = oneshot::channel();
    let panicking = runtime.spawn({
        let space = Arc::clone(&space);
        async move {
            let _guard = hold_async(&space, KEY).await;
            held.send(()).unwrap();
            is_queued.await.unwrap();
            panic!("inside");
        }
    });
    runtime.block_on(async {
        is_held.await.unwrap();
        let mut waiter = ByHand::new(hold_async(&space, KEY));
        assert!(waiter.poll().is_pending());
        queued.send(()).unwrap();
        assert!(panicking.await.unwrap_err().is_panic());
        drop(waiter.finish());
    });
    assert!(is_free(&space, KEY));
}

/// A future does nothing before it is polled, and nothing when it is dropped then.
pub fn future_that_was_not_polled_holds_nothing<E: Engine>() {
    let space = E::space();
    let future = hold_async(&space, KEY);
    assert!(is_free(&space, KEY));
    let guard = hold(&space, KEY);
    drop(future);
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// A task that is dropped inside, at an `.await`, releases.
pub fn cancelled_holder_releases<E: Engine>() {
    let space = Arc::new(E::space());
    let runtime = one_thread();
    let (inside, is_inside) = oneshot::channel();
    let holder = runtime.spawn({
        let space = Arc::clone(&space);
        async move {
            let _guard = hold_async(&space, KEY).await;
            inside.send(()).unwrap();
            future::pending::<()>().await;
        }
    });
    runtime.block_on(async {
        is_inside.await.unwrap();
        assert!(!is_free(&space, KEY));
        holder.abort();
        assert!(holder.await.unwrap_err().is_cancelled());
        assert!(is_free(&space, KEY));
    });
}

/// A waiter that is dropped doesn't get the lock later.
pub fn cancelled_waiter_leaves_queue<E: Engine>() {
    let space = E::space();
    let guard = hold(&space, KEY);
    let mut waiter = ByHand::new(hold_async(&space, KEY));
    assert!(waiter.poll().is_pending());
    drop(waiter);
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// Waiters that are dropped, at the front, in the middle and at the end of the
/// queue, don't stop the others.
pub fn cancelled_waiter_lets_those_behind_it_through<E: Engine>() {
    let space = E::space();
    let guard = hold(&space, KEY);
    let mut waiters: Vec<_> = (0..6)
        .map(|_| ByHand::new(hold_async(&space, KEY)))
        .collect();
    assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_pending()));
    for dropped in [5, 2, 0] {
        drop(waiters.remove(dropped));
    }
    drop(guard);
    for waiter in waiters {
        drop(waiter.finish());
    }
    assert!(is_free(&space, KEY));
}

/// A waiter is dropped in the very moment in which the lock comes to it. Whichever
/// is first, the one behind it must get the lock.
///
/// Few keys at a time, so that the waiters are young, and then many whose waiters
/// have waited for some time, since engines treat the two differently.
pub fn dropped_waiters_lose_no_hand_over<E: Engine>() {
    let space = E::space();
    for _ in 0..200 {
        drop_waiters_and_holders_at_once(&space, 10, Duration::ZERO);
    }
    for _ in 0..4 {
        drop_waiters_and_holders_at_once(&space, 500, Duration::from_millis(2));
    }
}

/// One thread goes along the holders of all keys and another along their first
/// waiters, in step.
fn drop_waiters_and_holders_at_once<S>(space: &S, keys: usize, wait: Duration)
where
    S: Space<Machine: Machine<Hold: Send, Failure: Debug + Send> + Send> + Sync,
{
    let waiters = || -> Vec<_> {
        let polled = |key| {
            let mut waiter = ByHand::new(hold_async(space, key));
            assert!(waiter.poll().is_pending());
            waiter
        };
        (0..keys).map(polled).collect()
    };
    let guards: Vec<_> = (0..keys).map(|key| hold(space, key)).collect();
    let (firsts, seconds) = (waiters(), waiters());
    let queued = Instant::now();
    eventually("the clock goes on", || queued.elapsed() >= wait);

    let lockstep = Lockstep::new();
    let meet = |side: usize, index: usize| {
        lockstep.meet(side);
        // So that each side is first at times, and by a different lead.
        for _ in 0..(index * (side + 1)) % 17 {
            hint::spin_loop();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            for (index, waiter) in firsts.into_iter().enumerate() {
                meet(0, index);
                drop(waiter);
            }
        });
        for (index, guard) in guards.into_iter().enumerate() {
            meet(1, index);
            drop(guard);
        }
    });
    for second in seconds {
        drop(second.finish());
    }
    assert!((0..keys).all(|key| is_free(space, key)));
}

/// While a task waits for a thread's lock, other tasks of its thread run; it is one
/// of them that has the lock released.
pub fn async_waiter_does_not_stall_its_thread<E: Engine>() {
    let space = E::space();
    let recorder = Recorder::new();
    let (held, released) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = hold(&space, KEY);
            let _stay = recorder.enter();
            held.wait();
            released.wait();
        });
        held.wait();
        let waiter = async {
            let _guard = hold_async(&space, KEY).await;
            let _stay = recorder.enter();
        };
        let other = async {
            for _ in 0..100 {
                yield_now().await;
            }
            released.wait();
        };
        one_thread().block_on(future::join(waiter, other));
    });
    recorder.assert_exclusive(2);
}

/// A thread that waits for a task's lock is woken when the task lets go.
pub fn blocked_thread_is_freed_by_a_task<E: Engine>() {
    let space = E::space();
    let recorder = Recorder::new();
    let held = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            held.wait();
            let _guard = hold(&space, KEY);
            let _stay = recorder.enter();
        });
        one_thread().block_on(async {
            let _guard = hold_async(&space, KEY).await;
            let _stay = recorder.enter();
            held.wait();
            for _ in 0..100 {
                yield_now().await;
            }
        });
    });
    recorder.assert_exclusive(2);
}

/// Tasks of executors that know nothing of Tokio exclude each other, also across
/// executors.
pub fn tasks_need_no_tokio<E: Engine>() {
    const TASKS: usize = 10;
    let space = Arc::new(E::space());
    let recorder = Arc::new(Recorder::new());
    let task = || {
        let (space, recorder) = (Arc::clone(&space), Arc::clone(&recorder));
        async move {
            for _ in 0..10 {
                let _guard = hold_async(&space, KEY).await;
                let _stay = recorder.enter();
                yield_now().await;
            }
        }
    };
    let pool = ThreadPool::builder().pool_size(2).create().unwrap();
    let in_pool: Vec<_> = (0..TASKS)
        .map(|_| pool.spawn_with_handle(task()).unwrap())
        .collect();
    thread::scope(|scope| {
        scope.spawn(|| pollster::block_on(task()));
        scope.spawn(|| {
            let mut pool = LocalPool::new();
            for _ in 0..TASKS {
                pool.spawner().spawn_local(task()).unwrap();
            }
            pool.run();
        });
        futures::executor::block_on(future::join_all(in_pool));
    });
    recorder.assert_exclusive((2 * TASKS + 1) * 10);
}

/// A key is its text: how the caller has it makes no difference.
pub fn equal_text_is_one_lock_whatever_the_type<E: Engine>() {
    let space = E::space();
    let _guard = hold(&space, 7_u32);
    assert!(!is_free(&space, "7"));
    assert!(!is_free(&space, String::from("7")));
    assert!(!is_free(&space, Arc::new(7_i128)));
    assert!(!is_free(&space, '7'));
    assert!(!is_free(&space, format_args!("{}", 7)));
    let _guard = hold(&space, ("vm", 7));
    assert!(!is_free(&space, "vm/7"));
}

/// Nothing is folded together: not case, nor blanks, nor what parts a tuple is of.
pub fn different_text_is_another_lock<E: Engine>() {
    let space = E::space();
    let _guards = (
        hold(&space, "a/b"),
        hold(&space, ("a/b", "c")),
        hold(&space, "%2F"),
    );
    for other in [
        "A/b", "a_b", "a/b ", "a/b/", "a", "b", "a%2Fb", "/", "%252F", "a/b/c",
    ] {
        assert!(is_free(&space, other), "{other:?}");
    }
    assert!(is_free(&space, ("a", "b/c")));
}

/// The empty text is a key like any other.
pub fn empty_key_is_a_lock<E: Engine>() {
    if !E::EMPTY_KEY {
        return;
    }
    let space = E::space();
    let _guard = hold(&space, "");
    assert!(!is_free(&space, ""));
    assert!(is_free(&space, "/"));
}

/// A key has no greatest length, and counts to its last byte.
pub fn long_key_is_a_lock<E: Engine>() {
    let space = E::space();
    for length in [63, 64, 65, 255, 256, 10_000] {
        let key = "k".repeat(length);
        let _guard = hold(&space, &key);
        assert!(!is_free(&space, &key));
        assert!(is_free(&space, &key[1..]));
        assert!(is_free(&space, format_args!("{}l", &key[1..])));
    }
}

/// A reference to a space is that space.
pub fn space_by_reference_is_the_same_space<E: Engine>() {
    let space = Arc::new(E::space());
    let _guard = hold(&Arc::clone(&space), KEY);
    assert!(!is_free(&space, KEY));
    assert!(!is_free(&*space, KEY));
    assert!(!is_free(&&*space, KEY));
    // Another space of the engine is another one.
    assert!(is_free(&E::space(), KEY));
}

/// Shared holders are inside together, and keep an exclusive one out, in threads and tasks.
pub fn shared_holders_are_inside_together<E: Engine>() {
    let space = E::space();
    let one = try_on(&space, KEY, Mode::Shared).unwrap();
    let two = space.wait(&KEY, Mode::Shared, Site::here());
    let two = one_thread().block_on(two).unwrap();
    assert!(!is_free(&space, KEY));
    drop(one);
    assert!(!is_free(&space, KEY));
    drop(two);
    let _alone = hold(&space, KEY);
    assert!(try_on(&space, KEY, Mode::Shared).is_err());
}

/// A thread that holds a key goes in again; another doesn't, until both holds have ended.
pub fn reentrant_thread_goes_straight_in<E: Engine>() {
    let space = E::space();
    let enter = || space.try_now(&KEY, Mode::Exclusive, Reentry::Allowed, Site::here());
    let (outer, inner) = (enter().unwrap(), enter().unwrap());
    let others_are_out = || {
        let other = || enter().is_err();
        thread::scope(|scope| scope.spawn(other).join().unwrap())
    };
    assert!(others_are_out());
    drop(outer);
    assert!(others_are_out());
    drop(inner);
    assert!(!others_are_out());
}

const SHORT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(600);

/// A thread gives up when the time is over, not before, and says what it waited for.
pub fn blocking_wait_times_out<E: Engine>() {
    let space = E::space();
    let _guard = one_thread().block_on(hold_async(&space, KEY));
    let start = Instant::now();
    let wait = space.wait(&KEY, Mode::Exclusive, Site::here());
    let error = wait.block_for(SHORT).map(drop).unwrap_err();
    assert!(start.elapsed() >= SHORT);
    assert_timed_out(&error);
}

/// So does a task, on an executor without timers.
pub fn async_wait_times_out<E: Engine>() {
    let space = E::space();
    let _guard = hold(&space, KEY);
    let start = Instant::now();
    let wait = space.wait(&KEY, Mode::Exclusive, Site::here());
    let error = pollster::block_on(wait.timed(SHORT)).map(drop).unwrap_err();
    assert!(start.elapsed() >= SHORT);
    assert_timed_out(&error);
}

fn assert_timed_out(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.key(), Some(KEY));
    assert!(error.waited() >= SHORT);
}

/// Whose time is over isn't handed the lock, which goes to the next.
pub fn wait_that_times_out_leaves_queue<E: Engine>() {
    let space = E::space();
    let guard = hold(&space, KEY);
    let wait = space.wait(&KEY, Mode::Exclusive, Site::here());
    let mut first = ByHand::new(wait.timed(SHORT));
    let polled = first.poll();
    let mut second = ByHand::new(hold_async(&space, KEY));
    assert!(second.poll().is_pending());
    let first = match polled {
        Poll::Pending => first.finish(),
        // On a busy machine its time may be over before its first poll is.
        Poll::Ready(result) => result,
    };
    assert!(first.is_err());
    drop(guard);
    drop(second.finish());
    assert!(is_free(&space, KEY));
}

/// A lock that comes before the time is over is had, by a thread and by a task.
pub fn lock_that_is_released_in_time_is_had<E: Engine>() {
    let space = E::space();
    let waits = || space.wait(&KEY, Mode::Exclusive, Site::here());
    let guard = hold(&space, KEY);
    let mut task = ByHand::new(waits().timed(LONG));
    assert!(task.poll().is_pending());
    thread::scope(|scope| {
        let thread = scope.spawn(|| waits().block_for(LONG).map(drop));
        drop(guard);
        drop(task.finish());
        assert!(thread.join().unwrap().is_ok());
    });
    assert!(is_free(&space, KEY));
}

/// A task that tries gives up at once, or has the lock.
pub fn try_of_a_task_is_busy_or_has_the_lock<E: Engine>() {
    let space = E::space();
    let tries = || {
        let wait = space.wait(&KEY, Mode::Exclusive, Site::here());
        pollster::block_on(wait.try_async())
    };
    let guard = tries().unwrap();
    let error = tries().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.key(), Some(KEY));
    assert!(!is_free(&space, KEY));
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// Several keys are had and released as one, one that is there twice as well. None is had
/// too.
pub fn keys_are_held_together<E: Engine>() {
    let space = E::space();
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
pub fn keys_in_any_order_do_not_deadlock<E: Engine>() {
    let space = E::space();
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
                }
            });
        }
    });
    recorder.assert_exclusive(300);
}

/// Where one of several keys is busy, a try holds none of them, in a thread and a task.
pub fn keys_that_are_not_all_free_are_not_tried_in_part<E: Engine>() {
    let space = E::space();
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
pub fn cancelled_wait_for_keys_holds_none<E: Engine>() {
    let space = E::space();
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

//! Exclusion: one holder for each key, be it a thread or a task, and holders of all keys at once.

use crate::limit::yield_now;
use crate::lockstep::Lockstep;
use crate::recorder::Recorder;
use crate::subject::Subject;
use crate::take::{KEY, hold, hold_async, is_free, many_threads, one_thread, try_hold};
use crate::test::Test;
use futures::executor::{LocalPool, ThreadPool};
use futures::future;
use futures::task::{LocalSpawnExt as _, SpawnExt as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Threads and tasks that all take one key, again and again.
fn contend<S: Subject>(test: &Test<S>, threads: usize, tasks: usize, rounds: usize) {
    let space = Arc::new(test.space());
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
pub fn same_key_excludes_threads<S: Subject>(test: &Test<S>) {
    contend(test, 10, 0, 100);
}

/// A hundred tasks of one key are inside one after the other, though each gives way
/// inside.
pub fn same_key_excludes_tasks<S: Subject>(test: &Test<S>) {
    contend(test, 0, 100, 10);
}

/// Threads and tasks exclude each other, not only their own kind.
pub fn same_key_excludes_threads_and_tasks<S: Subject>(test: &Test<S>) {
    contend(test, 5, 50, 20);
}

/// Two threads come to a free key in the very same moment, and one of them gets it.
/// Another key each time, so that whatever is left of the one before is wrong.
pub fn key_tried_by_two_threads_at_once_goes_to_one<S: Subject>(test: &Test<S>) {
    let space = test.space();
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
pub fn different_keys_overlap_between_threads<S: Subject>(test: &Test<S>) {
    let space = test.space();
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
pub fn different_keys_overlap_between_tasks_of_one_thread<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let both_inside = tokio::sync::Barrier::new(2);
    let stay = async |key| {
        let _guard = hold_async(&space, key).await;
        both_inside.wait().await;
    };
    one_thread().block_on(future::join(stay("a"), stay("b")));
}

/// A thread and a task are inside at once.
pub fn different_keys_overlap_between_thread_and_task<S: Subject>(test: &Test<S>) {
    let space = test.space();
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
pub fn one_thread_holds_many_keys_at_once<S: Subject>(test: &Test<S>) {
    let space = test.space();
    // All of one length, so that their texts are in the same order.
    let keys = 1000..2000;
    let guards: Vec<_> = keys.clone().map(|key| hold(&space, key)).collect();
    assert!(keys.clone().all(|key| !is_free(&space, key)));
    drop(guards);
    assert!(keys.clone().all(|key| is_free(&space, key)));
}

/// A reference to a space is that space.
pub fn space_by_reference_is_the_same_space<S: Subject>(test: &Test<S>) {
    let space = Arc::new(test.space());
    let _guard = hold(&Arc::clone(&space), KEY);
    assert!(!is_free(&space, KEY));
    assert!(!is_free(&*space, KEY));
    assert!(!is_free(&&*space, KEY));
    // Another space of the engine is another one.
    assert!(is_free(&test.space(), KEY));
}

/// While a task waits for a thread's lock, other tasks of its thread run; it is one
/// of them that has the lock released.
pub fn async_waiter_does_not_stall_its_thread<S: Subject>(test: &Test<S>) {
    let space = test.space();
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
pub fn blocked_thread_is_freed_by_a_task<S: Subject>(test: &Test<S>) {
    let space = test.space();
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
pub fn tasks_need_no_tokio<S: Subject>(test: &Test<S>) {
    const TASKS: usize = 10;
    let space = Arc::new(test.space());
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

//! Any keys, in any order, by threads and tasks at once.

use lockutils::{Guard, Locks};
use lockutils_tests::{Recorder, in_time, states, yield_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// So many keys, of which threads and tasks take any, in any order.
struct AnySets {
    locks: Locks,
    recorders: [Recorder; Self::KEYS],
    stays: [AtomicUsize; Self::KEYS],
}

impl AnySets {
    const KEYS: usize = 4;
    const ROUNDS: usize = 150;

    fn new() -> Self {
        Self {
            locks: Locks::new("any sets"),
            recorders: [const { Recorder::new() }; Self::KEYS],
            stays: [const { AtomicUsize::new(0) }; Self::KEYS],
        }
    }

    /// Each set of up to three keys, and each order of it, in turn.
    fn keys(number: usize) -> [usize; 3] {
        [1, 4, 16].map(|step| number / step % Self::KEYS)
    }

    fn enter(&self, mut keys: [usize; 3]) -> Vec<impl Drop> {
        keys.sort_unstable();
        let mut keys = keys.to_vec();
        keys.dedup();
        let enter = |key: usize| {
            self.stays[key].fetch_add(1, Ordering::Relaxed);
            self.recorders[key].enter()
        };
        keys.into_iter().map(enter).collect()
    }

    /// Waits in each of a thread's ways.
    fn take_by_thread(&self, thread: usize) {
        for round in 0..Self::ROUNDS {
            let keys = Self::keys(round * 7 + thread);
            let handle = self.locks.keys(keys);
            let guard: Option<Guard> = match round % 3 {
                0 => handle.try_lock().ok(),
                1 => handle.lock_timeout(Duration::from_micros(300)).ok(),
                _ => Some(handle.lock()),
            };
            let _stays = guard.as_ref().map(|_| self.enter(keys));
            thread::yield_now();
        }
    }

    async fn take_by_task(&self, task: usize) {
        for round in 0..Self::ROUNDS {
            let keys = Self::keys(round * 11 + task);
            let _guard = self.locks.keys(keys).lock_async().await;
            let _stays = self.enter(keys);
            yield_now().await;
        }
    }
}

/// Threads and tasks with any of the keys, in any order, waiting in all ways.
#[test]
fn any_sets_in_any_order_never_deadlock() {
    in_time(|| {
        let sets = Arc::new(AnySets::new());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let tasks: Vec<_> = (0..6)
            .map(|task| {
                let sets = Arc::clone(&sets);
                runtime.spawn(async move { sets.take_by_task(task).await })
            })
            .collect();
        thread::scope(|scope| {
            for thread in 0..4 {
                let sets = &sets;
                scope.spawn(move || sets.take_by_thread(thread));
            }
        });
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        for (recorder, stays) in sets.recorders.iter().zip(&sets.stays) {
            recorder.assert_exclusive(stays.load(Ordering::Relaxed));
        }
        assert!(states(&sets.locks).is_empty());
    });
}

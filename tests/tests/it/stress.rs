//! Threads and tasks in any order, for as long as one likes.
//!
//! A second by default; `LOCKUTILS_STRESS_SECONDS` says how long otherwise.

use lockutils::Locks;
use lockutils_tests::{ByHand, Recorder, in_time, yield_now};
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Few, so that they are fought for.
const KEYS: usize = 4;

struct Arena {
    locks: Locks,
    recorders: [Recorder; KEYS],
    stays: [AtomicUsize; KEYS],
    over: AtomicBool,
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // Marsaglia's xorshift64.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// Zero most often.
    fn key(&mut self) -> usize {
        let sides = self.roll(KEYS as u64) + 1;
        usize::try_from(self.roll(sides)).unwrap()
    }
}

impl Arena {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn thread(&self, mut dice: Dice) {
        while !self.is_over() {
            let key = dice.key();
            let handle = self.locks.key(key);
            let _guard = match dice.roll(4) {
                0 => match handle.try_lock() {
                    Ok(guard) => guard,
                    Err(_) => continue,
                },
                _ => handle.lock(),
            };
            self.stays[key].fetch_add(1, Ordering::Relaxed);
            let _stay = self.recorders[key].enter();
            for _ in 0..dice.roll(3) {
                thread::yield_now();
            }
        }
    }

    async fn task(&self, mut dice: Dice) {
        while !self.is_over() {
            let key = dice.key();
            let mut wait = ByHand::new(self.locks.key(key).lock_async());
            if dice.roll(4) == 0 {
                // Polled a few times and then, most likely, given up.
                for _ in 0..dice.roll(3) {
                    if wait.poll().is_ready() {
                        break;
                    }
                    yield_now().await;
                }
                continue;
            }
            let _guard = wait.into_inner().await;
            self.stays[key].fetch_add(1, Ordering::Relaxed);
            let _stay = self.recorders[key].enter();
            for _ in 0..dice.roll(3) {
                yield_now().await;
            }
        }
    }
}

/// Everybody at once for a second, then all must come to an end.
fn round(seed: u64) {
    let arena = Arc::new(Arena {
        locks: Locks::new("stress"),
        recorders: [const { Recorder::new() }; KEYS],
        stays: [const { AtomicUsize::new(0) }; KEYS],
        over: AtomicBool::new(false),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let mut dice = Dice(seed);
    let mut next_dice = || Dice(dice.roll(u64::MAX) + 1);
    let tasks = [(); 20].map(|()| {
        let (arena, dice) = (Arc::clone(&arena), next_dice());
        runtime.spawn(async move { arena.task(dice).await })
    });
    thread::scope(|scope| {
        for _ in 0..4 {
            let (arena, dice) = (&arena, next_dice());
            scope.spawn(|| arena.thread(dice));
        }
        thread::sleep(Duration::from_secs(1));
        arena.over.store(true, Ordering::Relaxed);
    });
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    for (recorder, stays) in arena.recorders.iter().zip(&arena.stays) {
        let stays = stays.load(Ordering::Relaxed);
        assert_ne!(stays, 0);
        recorder.assert_exclusive(stays);
    }
    let mut left = lockutils::snapshot();
    left.retain(|lock| lock.space == arena.locks.name());
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn threads_and_tasks_in_any_order_exclude_each_other() {
    let seconds = env::var("LOCKUTILS_STRESS_SECONDS");
    let seconds = seconds.map_or(1, |text| text.parse().expect("a whole number of seconds"));
    for seed in 1..=seconds {
        in_time(move || round(seed));
    }
}

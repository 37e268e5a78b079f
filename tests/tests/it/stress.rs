//! Threads and tasks in any order, with holds of all kinds, for as long as one likes.
//!
//! A second by default; `LOCKUTILS_STRESS_SECONDS` says how long otherwise.

use lockutils::Locks;
use lockutils_tests::{ByHand, Recorder, Stay, in_time, yield_now};
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Few, so that they are fought for.
const KEYS: usize = 4;

/// A timeout that is over now and then.
const SOON: Duration = Duration::from_micros(200);

/// How many may hold a key of the counted space at once.
const PERMITS: usize = 3;

struct Arena {
    locks: Locks,
    counted: Locks,
    /// How many hold each of its keys, and how many have.
    inside: [AtomicUsize; KEYS],
    entered: AtomicUsize,
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

    /// Begins a stay under each of these keys.
    fn enter(&self, keys: &[usize], shared: bool) -> Vec<Stay<'_>> {
        let enter = |key: &usize| {
            self.stays[*key].fetch_add(1, Ordering::Relaxed);
            let recorder = &self.recorders[*key];
            if shared {
                recorder.enter_shared()
            } else {
                recorder.enter()
            }
        };
        keys.iter().map(enter).collect()
    }

    /// Has a permit for a while.
    fn enter_counted(&self, key: usize) -> impl Drop {
        struct Leave<'a>(&'a AtomicUsize);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let inside = &self.inside[key];
        assert!(inside.fetch_add(1, Ordering::Relaxed) < PERMITS);
        self.entered.fetch_add(1, Ordering::Relaxed);
        Leave(inside)
    }

    /// Takes one of the permits, in any way that a thread has, or looks.
    fn thread_counted(&self, dice: &mut Dice) {
        let key = dice.key();
        let handle = self.counted.key(key);
        let guard = match dice.roll(6) {
            0 => handle.try_lock().ok(),
            1 => handle.lock_timeout(SOON).ok(),
            2 => handle.is_locked().then(|| handle.shared().lock()),
            _ => Some(handle.lock()),
        };
        if let Some(_guard) = guard {
            let _permit = self.enter_counted(key);
            for _ in 0..dice.roll(3) {
                thread::yield_now();
            }
        }
    }

    /// The same, as a task has them.
    async fn task_counted(&self, dice: &mut Dice) {
        let key = dice.key();
        let handle = self.counted.key(key);
        let guard = match dice.roll(6) {
            0 => handle.try_lock_async().await.ok(),
            1 => handle.lock_timeout_async(SOON).await.ok(),
            2 => {
                let mut wait = ByHand::new(handle.lock_async());
                let _first = wait.poll();
                None
            }
            _ => Some(handle.lock_async().await),
        };
        if let Some(_guard) = guard {
            let _permit = self.enter_counted(key);
            for _ in 0..dice.roll(3) {
                yield_now().await;
            }
        }
    }

    /// Takes one of the locks, or two, in any way that a thread has.
    fn thread(&self, mut dice: Dice) {
        while !self.is_over() {
            if dice.roll(3) == 0 {
                self.thread_counted(&mut dice);
                continue;
            }
            let (key, shared) = (dice.key(), dice.roll(3) == 0);
            let handle = self.locks.key(key);
            let handle = if shared { handle.shared() } else { handle };
            let one = match dice.roll(8) {
                0 | 1 => handle.try_lock().ok(),
                2 => handle.lock_timeout(SOON).ok(),
                3 => None,
                _ => Some(handle.lock()),
            };
            let (keys, _guard) = match one {
                Some(guard) => (vec![key], guard),
                None if dice.roll(2) == 0 => continue,
                None => {
                    let keys = both(key, dice.key());
                    let both = self.locks.keys(&keys);
                    let both = if shared { both.shared() } else { both };
                    (keys, both.lock())
                }
            };
            let _stays = self.enter(&keys, shared);
            for _ in 0..dice.roll(3) {
                thread::yield_now();
            }
        }
    }

    /// The same, as a task has them.
    async fn task(&self, mut dice: Dice) {
        while !self.is_over() {
            if dice.roll(3) == 0 {
                self.task_counted(&mut dice).await;
                continue;
            }
            let (key, shared) = (dice.key(), dice.roll(3) == 0);
            let handle = self.locks.key(key);
            let handle = if shared { handle.shared() } else { handle };
            let one = match dice.roll(8) {
                0 | 1 => {
                    // Polled a few times and then, most likely, given up.
                    let mut wait = ByHand::new(handle.lock_async());
                    for _ in 0..dice.roll(3) {
                        if wait.poll().is_ready() {
                            break;
                        }
                        yield_now().await;
                    }
                    continue;
                }
                2 => handle.lock_timeout_async(SOON).await.ok(),
                3 => None,
                4 => handle.try_lock_async().await.ok(),
                _ => Some(handle.lock_async().await),
            };
            let (keys, _guard) = match one {
                Some(guard) => (vec![key], guard),
                None if dice.roll(2) == 0 => continue,
                None => {
                    let keys = both(key, dice.key());
                    let both = self.locks.keys(&keys);
                    let both = if shared { both.shared() } else { both };
                    (keys, both.lock_async().await)
                }
            };
            let _stays = self.enter(&keys, shared);
            for _ in 0..dice.roll(3) {
                yield_now().await;
            }
        }
    }
}

/// Two keys, if they are two.
fn both(one: usize, other: usize) -> Vec<usize> {
    let mut keys = vec![one, other];
    keys.dedup();
    keys
}

/// Everybody at once for a second, then all must come to an end.
fn round(seed: u64) {
    let [locks, counted] = [Locks::new("stress"), Locks::new("stress, counted")]
        .map(|locks| if seed % 2 == 0 { locks.fair() } else { locks });
    let arena = Arc::new(Arena {
        locks,
        counted: counted.permits(u32::try_from(PERMITS).unwrap()),
        inside: [const { AtomicUsize::new(0) }; KEYS],
        entered: AtomicUsize::new(0),
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
    assert_ne!(arena.entered.load(Ordering::Relaxed), 0);
    let mut left = lockutils::snapshot();
    left.retain(|lock| lock.space.starts_with(arena.locks.name()));
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

//! Cycles of threads in which somebody can fail: that one is told, whoever closed the cycle.

use super::LONG;
use lockutils::{Error, ErrorKind, FileLocks, Guard, Locks};
use lockutils_tests::{ByHand, Directory, eventually, in_time, settled_waiters};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

/// How a thread's second lock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Taken,
    Told,
    Panicked,
}

/// Takes a lock, with a timeout that is never over if the call is to be one that can fail.
type Take<'a, G> = &'a (dyn Fn(usize, bool) -> Result<G, Error> + Sync);

fn end<G>(take: impl FnOnce() -> Result<G, Error>) -> End {
    match catch_unwind(AssertUnwindSafe(take)) {
        Ok(Ok(_guard)) => End::Taken,
        Ok(Err(error)) => {
            assert_eq!(error.kind(), ErrorKind::Deadlock);
            assert!(error.deadlock().is_some(), "{error}");
            End::Told
        }
        Err(_) => End::Panicked,
    }
}

/// Each thread holds what is its own, and then takes what is the next one's, in this order:
/// each when the one before it waits.
fn ring<O, G>(
    can_fail: &[bool],
    order: &[usize],
    waiters: &dyn Fn() -> usize,
    own: &(impl Fn(usize) -> O + Sync),
    next: Take<'_, G>,
) -> Vec<End> {
    let size = can_fail.len();
    let held = &Barrier::new(size + 1);
    thread::scope(|scope| {
        let spawned: Vec<_> = (0..size)
            .map(|number| {
                let (go, turn) = mpsc::channel::<()>();
                let thread = scope.spawn(move || {
                    let _own = own(number);
                    held.wait();
                    turn.recv().unwrap();
                    end(|| next((number + 1) % size, can_fail[number]))
                });
                (go, thread)
            })
            .collect();
        held.wait();
        for (index, number) in order.iter().enumerate() {
            spawned[*number].0.send(()).unwrap();
            if index + 1 < size {
                eventually("it waits", || waiters() == index + 1);
            }
        }
        let ends = spawned
            .into_iter()
            .map(|(_, thread)| thread.join().unwrap());
        ends.collect()
    })
}

/// All orders of so many; of more than three only those that differ in who comes first.
fn orders(size: usize) -> Vec<Vec<usize>> {
    if size > 3 {
        let turned = |first| (0..size).map(|number| (first + number) % size).collect();
        return (0..size).map(turned).collect();
    }
    let Some(rest) = size.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let with = |shorter: Vec<usize>| {
        (0..=shorter.len()).map(move |at| {
            let mut order = shorter.clone();
            order.insert(at, rest);
            order
        })
    };
    orders(rest).into_iter().flat_map(with).collect()
}

/// Tries all rings of these sizes, in all orders, with all choices of who can fail. Where
/// somebody can, exactly one is told, who can; where nobody can, one panics.
fn rings<O, G>(
    sizes: impl IntoIterator<Item = usize>,
    always_fails: bool,
    waiters: &dyn Fn() -> usize,
    own: &(impl Fn(usize) -> O + Sync),
    next: Take<'_, G>,
) {
    for size in sizes {
        for order in orders(size) {
            for choice in 0..1_u32 << size {
                let can_fail: Vec<_> = (0..size).map(|bit| choice >> bit & 1 == 1).collect();
                let ends = ring(&can_fail, &order, waiters, own, next);
                let story = format!("{can_fail:?} in order {order:?}: {ends:?}");
                let count = |end| ends.iter().filter(|other| **other == end).count();
                let somebody_can = always_fails || choice > 0;
                assert_eq!(count(End::Told), usize::from(somebody_can), "{story}");
                assert_eq!(count(End::Panicked), usize::from(!somebody_can), "{story}");
                let mut told = ends
                    .iter()
                    .zip(can_fail)
                    .filter(|(end, _)| **end == End::Told);
                assert!(told.all(|(_, can)| always_fails || can), "{story}");
                assert_eq!(waiters(), 0, "{story}");
            }
        }
    }
}

/// Takes one lock, and fails only if that is asked for.
fn take(locks: &Locks, key: usize, can_fail: bool) -> Result<Guard, Error> {
    let lock = locks.key(key);
    if can_fail {
        lock.lock_timeout(LONG)
    } else {
        Ok(lock.lock())
    }
}

#[test]
fn one_who_can_fail_is_told_whoever_comes_last() {
    in_time(|| {
        let locks = Locks::new("victims");
        let waiters = || settled_waiters("victims");
        let own = |key| locks.key(key).lock();
        rings(2..=5, false, &waiters, &own, &|key, can_fail| {
            take(&locks, key, can_fail)
        });
    });
}

#[test]
fn one_who_can_fail_is_told_where_holds_are_shared() {
    in_time(|| {
        let locks = Locks::new("shared victims");
        let waiters = || settled_waiters("shared victims");
        let own = |key| locks.key(key).shared().lock();
        rings(2..=3, false, &waiters, &own, &|key, can_fail| {
            take(&locks, key, can_fail)
        });
    });
}

#[test]
fn one_who_can_fail_is_told_where_all_permits_are_taken() {
    in_time(|| {
        let locks = Locks::new("permits of victims").permits(2);
        let waiters = || settled_waiters("permits of victims");
        let own = |key| [(); 2].map(|()| locks.key(key).lock());
        rings(2..=3, false, &waiters, &own, &|key, can_fail| {
            take(&locks, key, can_fail)
        });
    });
}

#[test]
fn one_who_can_fail_is_told_while_it_takes_several_keys() {
    in_time(|| {
        let locks = Locks::new("keys of victims");
        let waiters = || settled_waiters("keys of victims");
        let own = |key| locks.key(key).lock();
        // A key of the thread's own comes first, and is given back by who fails.
        let next = |key, can_fail| {
            let keys = locks.keys([format!("#{key}"), format!("{key}")]);
            if can_fail {
                keys.lock_timeout(LONG)
            } else {
                Ok(keys.lock())
            }
        };
        rings(2..=3, false, &waiters, &own, &next);
        assert!(locks.keys(["#0", "#1", "#2"]).try_lock().is_ok());
    });
}

/// A lock file can be refused also without a timeout, so there is always somebody to tell.
#[test]
fn thread_that_waits_for_a_lock_file_is_told() {
    in_time(|| {
        let directory = Directory::new();
        let files = FileLocks::new(&*directory);
        let space = directory.to_string_lossy().into_owned();
        let waiters = || settled_waiters(&space);
        let own = |key| files.key(key).lock().unwrap();
        rings(2..=3, true, &waiters, &own, &|key, can_fail| {
            let lock = files.key(key);
            if can_fail {
                lock.lock_timeout(LONG)
            } else {
                lock.lock()
            }
        });
    });
}

/// In-process locks and files, each of which one thread holds and the other one takes.
#[test]
fn thread_that_waits_for_a_lock_file_is_told_for_one_that_cannot_fail() {
    in_time(|| {
        let locks = Locks::new("beside a file");
        let directory = Directory::new();
        let files = FileLocks::new(&*directory);
        let space = directory.to_string_lossy().into_owned();
        let held = Barrier::new(2);
        thread::scope(|scope| {
            let waits_for_file = scope.spawn(|| {
                let _own = locks.key("key").lock();
                held.wait();
                end(|| files.key("file").lock())
            });
            let _own = files.key("file").lock().unwrap();
            held.wait();
            eventually("the other one waits", || settled_waiters(&space) == 1);
            assert_eq!(end(|| take(&locks, 0, false)), End::Taken);
            drop(locks.key("key").lock());
            assert_eq!(waits_for_file.join().unwrap(), End::Told);
        });
    });
}

/// Threads that share a lock, and wait for what the caller holds; the second one can fail.
/// How they end, when the caller takes what they share, and how the caller does.
fn shared_by_two(locks: &Locks, first_can_fail: bool) -> (End, [End; 2]) {
    let held = Barrier::new(3);
    thread::scope(|scope| {
        let own = locks.key(0).lock();
        let threads = [first_can_fail, true].map(|can_fail| {
            let held = &held;
            scope.spawn(move || {
                let _shared = locks.key(1).shared().lock();
                held.wait();
                end(|| take(locks, 0, can_fail))
            })
        });
        held.wait();
        eventually("both wait", || settled_waiters(locks.name()) == 2);
        let own_end = end(|| take(locks, 1, false));
        drop(own);
        (own_end, threads.map(|thread| thread.join().unwrap()))
    })
}

#[test]
fn all_who_are_in_the_way_are_told() {
    in_time(|| {
        let locks = Locks::new("two victims");
        let ends = shared_by_two(&locks, true);
        assert_eq!(ends, (End::Taken, [End::Told; 2]));
    });
}

#[test]
fn nobody_is_told_where_that_does_not_help() {
    in_time(|| {
        let locks = Locks::new("no victim");
        let ends = shared_by_two(&locks, false);
        assert_eq!(ends, (End::Panicked, [End::Taken; 2]));
    });
}

/// Of two who hold the permits one can fail, and by that makes room.
#[test]
fn one_of_those_who_hold_all_permits_is_told() {
    in_time(|| {
        let locks = Locks::new("permit of a victim");
        let counted = Locks::new("permits of two").permits(2);
        let held = Barrier::new(3);
        thread::scope(|scope| {
            let own = locks.key(0).lock();
            let threads = [false, true].map(|can_fail| {
                let (locks, counted, held) = (&locks, &counted, &held);
                scope.spawn(move || {
                    let _permit = counted.key(0).lock();
                    held.wait();
                    end(|| take(locks, 0, can_fail))
                })
            });
            held.wait();
            eventually("both wait", || settled_waiters(locks.name()) == 2);
            let end = end(|| take(&counted, 0, false));
            drop(own);
            assert_eq!(end, End::Taken);
            let ends = threads.map(|thread| thread.join().unwrap());
            assert_eq!(ends, [End::Taken, End::Told]);
        });
    });
}

/// A shared waiter waits for all exclusive ones before it, not only for the first, which
/// can fail.
#[test]
fn every_exclusive_waiter_is_in_the_way_of_a_shared_one() {
    in_time(|| {
        let locks = Locks::new("exclusive waiters");
        let held = Barrier::new(2);
        thread::scope(|scope| {
            let own = locks.key("own").lock();
            let reader = scope.spawn(|| {
                let _shared = locks.key(0).shared().lock();
                held.wait();
                drop(locks.key("own").lock());
            });
            held.wait();
            eventually("the reader waits", || settled_waiters(locks.name()) == 1);
            let writers = [(true, 2), (false, 3)].map(|(can_fail, waiting)| {
                let locks = &locks;
                let writer = scope.spawn(move || end(|| take(locks, 0, can_fail)));
                eventually("the writer waits", || {
                    settled_waiters(locks.name()) == waiting
                });
                writer
            });
            let own_end = end(|| Ok::<_, Error>(locks.key(0).shared().lock()));
            assert_eq!(own_end, End::Panicked);
            drop(own);
            reader.join().unwrap();
            for writer in writers {
                assert_eq!(writer.join().unwrap(), End::Taken);
            }
        });
    });
}

/// A task in the cycle makes it a suspicion, for which nobody is failed before its time.
#[test]
fn nobody_is_told_of_a_cycle_with_a_task() {
    in_time(|| {
        let locks = Locks::new("task among victims");
        let own = locks.key("thread's").lock();
        let mut task = ByHand::new(async {
            let _own = locks.key("task's").lock_async().await;
            locks.key("thread's").lock_async().await
        });
        assert!(task.poll().is_pending());
        let short = Duration::from_millis(20);
        let error = locks.key("task's").lock_timeout(short).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let text = error.to_string();
        assert!(text.contains("; suspected deadlock:\n"), "{text}");
        drop(own);
        drop(task.finish());
    });
}

/// Threads that take two keys in any order, with and without a timeout: all come through.
#[test]
fn threads_that_can_fail_never_wait_for_each_other() {
    in_time(|| {
        let locks = Locks::new("victims under load");
        thread::scope(|scope| {
            for number in 0..4_usize {
                let locks = &locks;
                scope.spawn(move || {
                    for round in 0..300 {
                        // Those who can't fail are all of one order.
                        let can_fail = number > 0;
                        let (first, second) = match (number + round) % 3 {
                            _ if !can_fail => (0, 1),
                            0 => (0, 1),
                            1 => (1, 2),
                            _ => (2, 0),
                        };
                        if let Ok(_first) = take(locks, first, can_fail) {
                            match take(locks, second, can_fail) {
                                Ok(_) => {}
                                Err(error) => assert_eq!(error.kind(), ErrorKind::Deadlock),
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(settled_waiters(locks.name()), 0);
    });
}

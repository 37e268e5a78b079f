//! Many processes at once.

use super::{HOLDER, holder, number};
use lockutils::FileLocks;
use lockutils_tests::{Directory, Process};
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A stay of a process inside the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stay {
    pub(super) start: u64,
    end: u64,
    /// When it asked for the lock.
    pub(super) asked: u64,
}

impl Stay {
    /// From a line `in`, of which the first word is left out; it has not ended.
    fn begin(line: &str) -> Self {
        let (asked, start) = line.split_once(' ').unwrap();
        let (asked, start) = (number(asked), number(start));
        let end = 0;
        Self { start, end, asked }
    }
}

/// The stays that a process tells of, until it is done or has ended.
pub(super) fn stays(process: &Process) -> Vec<Stay> {
    more_stays(process, Vec::new())
}

/// The same, and those it has told of before.
fn more_stays(process: &Process, mut stays: Vec<Stay>) -> Vec<Stay> {
    while let Some(line) = process.hear() {
        match line.split_once(' ') {
            Some(("in", begin)) => stays.push(Stay::begin(begin)),
            Some(("out", end)) => stays.last_mut().unwrap().end = number(end),
            _ => break,
        }
    }
    stays
}

/// Checks that no two stays overlapped.
pub(super) fn assert_exclusive(stays: Vec<Stay>) {
    assert_exclusive_but(stays, &[]);
}

/// Checks that no two stays overlapped, unless the file was removed after one of them had
/// asked for it, and before both had it. `removals` are from when to when.
fn assert_exclusive_but(mut stays: Vec<Stay>, removals: &[(u64, u64)]) {
    stays.sort_unstable();
    for (index, first) in stays.iter().enumerate() {
        let during = stays[index + 1..].iter();
        for second in during.take_while(|second| second.start <= first.end) {
            // Who had the lock first may be the last to look at the clock.
            let asked = first.asked.min(second.asked);
            let between = |(from, to): &(u64, u64)| *to >= asked && *from <= second.start;
            assert!(
                removals.iter().any(between),
                "two were inside at once: {first:?} and {second:?}"
            );
        }
    }
}

#[test]
fn fifty_processes_on_one_file_exclude_each_other() {
    let directory = Directory::new();
    let mut processes: Vec<_> = (0..50).map(|_| holder(&directory)).collect();
    for process in &mut processes {
        process.tell("stay 10 100 key");
    }
    let stays: Vec<_> = processes.iter().flat_map(stays).collect();
    assert_eq!(stays.len(), 500);
    assert_exclusive(stays);
}

#[test]
fn fifty_processes_on_fifty_files_hold_them_at_once() {
    let directory = Directory::new();
    let mut processes: Vec<_> = (0..50).map(|_| holder(&directory)).collect();
    for (index, process) in processes.iter_mut().enumerate() {
        process.ask_for(&format!("lock {index}"), "held");
    }
    let states = FileLocks::new(&*directory).states().unwrap();
    assert_eq!(states.len(), 50);
    for lock in states {
        let index: usize = lock.key.as_str().parse().unwrap();
        assert_eq!(lock.holders[0].pid(), Some(processes[index].id()));
    }
}

/// A thread that is refused asks who holds the lock, while another one waits for it and gets it.
/// Where the kernel tells only those who try, the answer may take nothing from that one.
#[test]
fn asking_for_the_holder_releases_nothing() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut other = holder(&directory);
    other.tell("stay 300 100 key");
    let over = AtomicBool::new(false);
    let mut stays = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drop(locks.key("key").try_lock());
            }
        });
        let stay = |_| {
            let asked = lockutils_tests::now();
            let _guard = locks.key("key").lock().unwrap();
            let start = lockutils_tests::now();
            thread::sleep(Duration::from_micros(100));
            let end = lockutils_tests::now();
            Stay { start, end, asked }
        };
        let stays: Vec<_> = (0..300).map(stay).collect();
        over.store(true, Ordering::Relaxed);
        stays
    });
    stays.extend(self::stays(&other));
    assert_eq!(stays.len(), 600);
    assert_exclusive(stays);
}

/// The directory that none has made yet is made by all of them at once.
#[test]
fn missing_directory_is_made_by_many_at_once() {
    let directory = Directory::new();
    let deep = directory.join("not/there/yet");
    let mut processes: Vec<_> = (0..20).map(|_| holder(&deep)).collect();
    for process in &mut processes {
        process.tell("stay 2 0 key");
    }
    let stays: Vec<_> = processes.iter().flat_map(stays).collect();
    assert_eq!(stays.len(), 40);
    assert_exclusive(stays);
}

/// Killed at random, in the middle of holds, waits and hand-overs: those who are left
/// exclude each other and all come to their end.
#[test]
fn processes_killed_at_random_leave_the_others_exclusive() {
    let directory = Directory::new();
    let mut lasting: Vec<_> = (0..4).map(|_| holder(&directory)).collect();
    for process in &mut lasting {
        process.tell("stay 200 200 key");
    }
    let over = AtomicBool::new(false);
    let (mut kept, killed) = thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut killed = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let mut victim = holder(&directory);
                victim.tell("stay 1000 200 key");
                // It has been inside at least once.
                let first = Stay::begin(&victim.hear_of("in"));
                let alive = lockutils_tests::now();
                victim.kill();
                let mut stays = more_stays(&victim, vec![first]);
                // What it held when it was killed, it held at least until then.
                match stays.last_mut() {
                    Some(last) if last.end == 0 => last.end = alive.max(last.start),
                    _ => {}
                }
                killed.extend(stays);
            }
            killed
        });
        let kept: Vec<_> = lasting.iter().flat_map(stays).collect();
        over.store(true, Ordering::SeqCst);
        (kept, killer.join().unwrap())
    });
    assert_eq!(kept.len(), 800);
    kept.extend(killed);
    assert_exclusive(kept);
}

/// A stranger removes the file over and over. Who held it then goes on, and of those who
/// come later no two are inside at once.
///
/// With `has_name` left out of `Kernel::check`, so that a file is looked at every tenth of a
/// millisecond alone, four runs of five fail.
#[test]
fn those_who_come_after_a_removal_exclude_each_other() {
    let directory = Directory::new();
    let mut processes: Vec<_> = (0..4).map(|_| holder(&directory)).collect();
    for process in &mut processes {
        // Without a wait: it has the lock just after it has asked, and not some time later.
        process.tell("tries 1000 key");
    }
    let over = AtomicBool::new(false);
    let (stays, removals) = thread::scope(|scope| {
        let stranger = scope.spawn(|| {
            let mut removals = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let from = lockutils_tests::now();
                if fs::remove_file(directory.join("key")).is_ok() {
                    removals.push((from, lockutils_tests::now()));
                }
                thread::sleep(Duration::from_millis(2));
            }
            removals
        });
        let stays: Vec<_> = processes.iter().flat_map(stays).collect();
        over.store(true, Ordering::SeqCst);
        (stays, stranger.join().unwrap())
    });
    assert!(stays.len() > 100 && removals.len() > 10);
    assert_exclusive_but(stays, &removals);
}

/// Read, add one, write, without any lock but ours: no update is lost.
#[test]
fn counter_of_many_processes_and_threads_loses_nothing() {
    let directory = Directory::new();
    let counter = directory.join("counter");
    fs::write(&counter, "0").unwrap();
    let locks = directory.join("locks");
    let mut processes: Vec<_> = (0..4).map(|_| holder(&locks)).collect();
    for process in &mut processes {
        process.tell(&format!("count 200 {} key", counter.display()));
    }
    let space = FileLocks::new(&locks);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let _guard = space.key("key").lock().unwrap();
                    let number = number(fs::read_to_string(&counter).unwrap().trim());
                    fs::write(&counter, (number + 1).to_string()).unwrap();
                }
            });
        }
    });
    for process in &processes {
        process.hear_of("done");
    }
    assert_eq!(fs::read_to_string(&counter).unwrap(), "1600");
}

/// However fast the threads of one process hand the lock on, a process that waits gets it.
#[test]
fn threads_that_hand_on_do_not_starve_another_process() {
    let directory = Directory::new();
    let space = FileLocks::new(&*directory);
    let over = AtomicBool::new(false);
    let mut waiter = holder(&directory);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    drop(space.key("key").lock().unwrap());
                }
            });
        }
        for _ in 0..20 {
            waiter.ask_for("timeout 20000 key", "held");
            waiter.ask_for("release", "released");
        }
        over.store(true, Ordering::SeqCst);
    });
}

/// Shared holds of several processes overlap, and an exclusive one overlaps none.
#[test]
fn shared_holds_of_processes_overlap() {
    let directory = Directory::new();
    let (mut first, mut second, mut third) =
        (holder(&directory), holder(&directory), holder(&directory));
    first.ask_for("shared key", "held");
    second.ask_for("shared key", "held");
    third.ask_for("try key", "error Busy");
    first.ask_for("release", "released");
    third.ask_for("try key", "error Busy");
    second.ask_for("release", "released");
    third.ask_for("try key", "held");
    first.ask_for("timeout 10 key", "error Timeout");
}

/// Several keys are taken in one order, whatever order they are given in.
#[test]
fn several_keys_do_not_deadlock_between_processes() {
    let directory = Directory::new();
    let mut processes: Vec<_> = (0..4)
        .map(|_| Process::start(Command::new(HOLDER).arg(&*directory).arg("")))
        .collect();
    for round in 0..20 {
        for (index, process) in processes.iter_mut().enumerate() {
            let keys = if (index + round) % 2 == 0 {
                "keys a b c"
            } else {
                "keys c b a"
            };
            process.tell(keys);
            process.tell("release");
        }
        for process in &processes {
            process.hear_of("held");
            process.hear_of("released");
        }
    }
}

/// Each waiter takes the place of the one that has left. In a process in which nobody else waits.
#[test]
fn timed_waiters_that_give_up_leave_few_threads() {
    let directory = Directory::new();
    let (mut first, mut second) = (holder(&directory), holder(&directory));
    first.ask_for("lock key", "held");
    for _ in 0..100 {
        second.ask_for("timeout 1 key", "error Timeout");
        second.ask_for("timeout_async 1 key", "error Timeout");
    }
    let tasks = fs::read_dir(format!("/proc/{}/task", second.id())).unwrap();
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm"));
    let waiting = tasks
        .flatten()
        .filter_map(|task| name(task).ok())
        .filter(|name| name.starts_with("lockutils-wait"))
        .count();
    assert!(waiting < 10, "{waiting} threads");
    first.ask_for("release", "released");
    second.ask_for("try key", "held");
}

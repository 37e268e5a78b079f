//! Processes that take the lock again at once, and others that wait for it.

use super::crowd::{Stay, stays};
use super::holder;
use lockutils::FileLocks;
use lockutils_tests::{Directory, Process, eventually};
use std::hint;
use std::time::{Duration, Instant};

/// Each keeps the lock for a millisecond and asks for it again at once, long before one that
/// waits has been woken.
///
/// How many turns each has in a certain time is up to who is given the processor. What counts is
/// how many holds in a row one of them has while all others wait: one or two, also on a machine
/// that has much else to do, and up to a hundred where one that isn't woken in time is forgotten.
#[test]
fn processes_that_lock_again_at_once_take_turns() {
    let directory = Directory::new();
    let mut processes: Vec<_> = (0..4).map(|_| holder(&directory)).collect();
    for (index, process) in processes.iter_mut().enumerate() {
        // All of them are up before the first begins.
        process.ask_for(&format!("lock {index}"), "held");
    }
    for process in &mut processes {
        process.tell("busy 100 1000 key");
    }
    let all: Vec<_> = processes.iter().map(stays).collect();
    // While all of them take the lock or wait for it.
    let begin = all.iter().map(|stays| stays[0].asked).max().unwrap();
    let end = all.iter().map(|stays| stays[99].start).min().unwrap();
    let of_process = |(index, stays): (usize, Vec<Stay>)| {
        let starts = stays.into_iter().map(|stay| stay.start);
        starts.map(move |start| (start, index))
    };
    let holds = all.into_iter().enumerate().flat_map(of_process);
    let mut holds: Vec<_> = holds
        .filter(|(start, _)| (begin..=end).contains(start))
        .collect();
    holds.sort_unstable();
    let changes = holds.windows(2).filter(|pair| pair[0].1 != pair[1].1);
    let turns = 1 + changes.count();
    assert!(holds.len() <= 4 * turns, "{turns} turns: {holds:?}");
}

/// Who has been quicker than the one that waits gives it some time after the next hold.
#[test]
fn process_that_was_quicker_gives_way_the_next_time() {
    let directory = Directory::new();
    assert_that_it_gives_way(&FileLocks::new(&*directory), holder(&directory));
}

/// Has this process be quicker than another one that waits, which locks in the same directory.
pub(super) fn assert_that_it_gives_way(locks: &FileLocks, mut other: Process) {
    let mut quicker = 0;
    eventually("this process is the quicker one", || {
        let guard = locks.key("key").lock().unwrap();
        other.tell("lock key");
        other.tell("release");
        eventually("the other waits", || other.waits_in_kernel());
        drop(guard);
        if let Ok(guard) = locks.key("key").try_lock() {
            quicker += 1;
            let held = Instant::now();
            while held.elapsed() < Duration::from_millis(2) {
                hint::spin_loop();
            }
            let released = Instant::now();
            drop(guard);
            drop(locks.key("key").lock().unwrap());
            assert!(released.elapsed() >= Duration::from_micros(100));
        }
        other.hear_of("held");
        other.hear_of("released");
        quicker == 5
    });
}

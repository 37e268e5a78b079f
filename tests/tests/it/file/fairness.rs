//! Processes that take the lock again at once, and others that wait for it.

use super::{holder, number};
use lockutils::FileLocks;
use lockutils_tests::{Directory, Process, eventually};
use std::hint;
use std::time::{Duration, Instant};

/// Each keeps the lock for a millisecond and asks for it again at once, long before one that
/// waits has been woken.
#[test]
fn processes_that_lock_again_at_once_have_about_the_same_share() {
    let directory = Directory::new();
    let mut processes: Vec<_> = (0..4).map(|_| holder(&directory)).collect();
    for (index, process) in processes.iter_mut().enumerate() {
        // All of them are up before the first begins.
        process.ask_for(&format!("lock {index}"), "held");
    }
    for process in &mut processes {
        process.tell("hog 1000 1000 key");
    }
    let shares = processes.iter();
    let shares = shares.map(|process| number(&process.hear_of("done")));
    let shares: Vec<_> = shares.collect();
    let [most, fewest] = [shares.iter().max(), shares.iter().min()].map(Option::unwrap);
    assert!(most <= &(3 * fewest), "{shares:?}");
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

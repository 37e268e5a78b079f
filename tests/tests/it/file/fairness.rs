//! Processes that take the lock again at once, and others that wait for it.

use super::{holder, number};
use lockutils_tests::Directory;

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

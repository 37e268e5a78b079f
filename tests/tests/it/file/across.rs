//! Deadlocks between processes.

use super::holder;
use futures::future::poll_immediate;
use lockutils::{ErrorKind, FileLocks, report, snapshot};
use lockutils_tests::{ByHand, Directory, Process, eventually, is_out_of_order};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// A process that says which deadlocks it suspects.
fn watcher(directory: &Path) -> Process {
    let mut process = holder(directory);
    process.ask_for("hook", "done");
    process
}

/// Has a thread, or a task, of a process hold one lock, and then, when it is let go on, wait for
/// another one.
fn then(process: &mut Process, command: &str, keys: [&str; 2]) {
    let [first, second] = keys;
    process.ask_for(&format!("{command} 0 {first} {second}"), "first");
}

/// Lets all go on.
fn go<'a>(processes: impl IntoIterator<Item = &'a mut Process>) {
    for process in processes {
        process.ask_for("go", "done");
    }
}

/// Waits until a process has said which deadlock it suspects, and checks which files are in it.
fn hear(process: &Process, directory: &Path, keys: &[&str]) -> String {
    let text = process.hear_of("deadlock");
    for key in keys {
        assert_waits(&text, &directory.join(key));
    }
    assert_eq!(text.matches("waits for lock").count(), keys.len(), "{text}");
    text
}

fn assert_waits(text: &str, path: &Path) {
    let lock = format!("waits for lock \"{}\"", path.display());
    assert!(text.contains(&lock), "{text}");
}

/// The keys of locks that are suspected.
fn suspected(locks: &FileLocks) -> Vec<String> {
    let states = locks.states().unwrap().into_iter();
    let suspected = states.filter(|state| state.suspected_deadlock);
    suspected.map(|state| state.key.to_string()).collect()
}

/// Whether a process says, or has said, in a file what its holder waits for.
fn says(directory: &Path, key: &str) -> bool {
    let text = fs::read(directory.join(key)).unwrap();
    String::from_utf8_lossy(&text).contains("behind ")
}

#[test]
fn each_process_of_a_cycle_reports_it_once() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let (mut one, mut two) = (watcher(&directory), watcher(&directory));
    then(&mut one, "then", ["a", "b"]);
    then(&mut two, "then", ["b", "a"]);
    go([&mut one, &mut two]);
    let text = hear(&one, &directory, &["a", "b"]);
    assert!(
        text.contains(&format!("in process {} (", two.id())),
        "{text}"
    );
    assert!(
        text.contains("/later.rs:") && text.contains("in an unnamed thread"),
        "{text}"
    );
    let text = hear(&two, &directory, &["a", "b"]);
    assert!(
        text.contains(&format!("in process {} (", one.id())),
        "{text}"
    );
    assert_eq!(suspected(&locks), ["a", "b"]);
    // The next that they say is of other locks.
    then(&mut one, "then", ["c", "d"]);
    then(&mut two, "then", ["d", "c"]);
    go([&mut one, &mut two]);
    for process in [&one, &two] {
        hear(process, &directory, &["c", "d"]);
    }
    // The files have no more room for it.
    let size = fs::metadata(directory.join("a")).unwrap().len();
    assert!(size <= 8192, "{size}");
}

#[test]
fn cycle_of_three_processes_with_a_task_is_reported() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let mut processes = [(); 3].map(|()| watcher(&directory));
    let [one, two, three] = &mut processes;
    then(one, "then_async", ["a", "b"]);
    then(two, "then", ["b", "c"]);
    then(three, "then_async", ["c", "a"]);
    go(&mut processes);
    for process in &processes {
        hear(process, &directory, &["a", "b", "c"]);
    }
}

/// A file says itself where the other one is.
#[test]
fn cycle_over_two_directories_is_reported() {
    let (directory, other) = (Directory::new(), Directory::new());
    let (mut one, mut two) = (watcher(&directory), watcher(&directory));
    one.ask_for("lock a", "held");
    let there = other.display();
    two.ask_for(&format!("in {there} lock b"), "held");
    one.tell(&format!("in {there} lock b"));
    two.tell("lock a");
    for process in [&one, &two] {
        let text = process.hear_of("deadlock");
        assert_waits(&text, &directory.join("a"));
        assert_waits(&text, &other.join("b"));
    }
}

/// Who holds the lock waits in the queue of its process, for one that waits for the other process.
#[test]
fn holder_that_waits_for_others_of_its_process_is_part_of_a_cycle() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let (mut one, mut two) = (watcher(&directory), watcher(&directory));
    then(&mut one, "then", ["a", "b"]);
    then(&mut two, "then", ["b", "a"]);
    one.ask_for("crowd 1 0 b", "crowd");
    eventually("it waits", || one.waits_in_kernel());
    go([&mut one, &mut two]);
    let text = hear(&one, &directory, &["b", "b", "a"]);
    assert!(text.contains("/holder.rs:"), "{text}");
    hear(&two, &directory, &["a", "b"]);
    assert_eq!(suspected(&locks), ["a", "b"]);
}

#[test]
fn sharer_that_waits_is_part_of_a_cycle() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let mut processes = [(); 3].map(|()| watcher(&directory));
    let [one, two, idle] = &mut processes;
    one.ask_for("shared a", "held");
    idle.ask_for("shared a", "held");
    two.ask_for("lock b", "held");
    one.tell("lock b");
    two.tell("lock a");
    for process in [one, two] {
        hear(process, &directory, &["a", "b"]);
    }
}

/// Of each process one thread holds and another one waits: they all could go on.
#[test]
fn threads_that_wait_for_nothing_are_in_no_cycle() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let (mut one, mut two) = (watcher(&directory), watcher(&directory));
    one.ask_for("lock a", "held");
    two.ask_for("lock b", "held");
    one.ask_for("crowd 2 0 b", "crowd");
    two.ask_for("crowd 2 0 a", "crowd");
    eventually("they wait", || {
        let states = locks.states().unwrap();
        states.iter().map(|state| state.waiters).eq([2, 2])
    });
    // By the time that they see a cycle that began later they would have seen that one.
    then(&mut one, "then", ["c", "d"]);
    then(&mut two, "then", ["d", "c"]);
    go([&mut one, &mut two]);
    for process in [&one, &two] {
        hear(process, &directory, &["c", "d"]);
    }
    assert_eq!(suspected(&locks), ["c", "d"]);
}

#[test]
fn cycle_that_dissolves_is_not_reported() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let (mut one, mut two) = (watcher(&directory), watcher(&directory));
    one.ask_for("then 100 a b", "first");
    then(&mut two, "then", ["b", "a"]);
    go([&mut one, &mut two]);
    // It gives up, and so lets the other go on.
    one.hear_of("error Timeout");
    two.hear_of("second");
    then(&mut one, "then", ["c", "d"]);
    then(&mut two, "then", ["d", "c"]);
    go([&mut one, &mut two]);
    for process in [&one, &two] {
        hear(process, &directory, &["c", "d"]);
    }
}

/// What it has said stays in the file, and says nothing any more.
#[test]
fn killed_process_is_in_no_cycle() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let (mut one, mut two) = (watcher(&directory), watcher(&directory));
    then(&mut one, "then", ["a", "b"]);
    then(&mut two, "then", ["b", "a"]);
    go([&mut one, &mut two]);
    hear(&one, &directory, &["a", "b"]);
    two.kill();
    one.hear_of("second");
    assert_eq!(["a", "b"].map(|key| says(&directory, key)), [false, true]);
    // Of the cycle that it would be part of half is there again.
    let mut three = watcher(&directory);
    one.ask_for("lock b", "held");
    three.ask_for("lock a", "held");
    three.tell("lock b");
    eventually("it says that it waits", || says(&directory, "a"));
    assert!(suspected(&locks).is_empty());
}

/// At once, so that nobody follows it any more. The task's two branches end apart.
#[test]
fn what_is_said_ends_with_the_wait_and_with_the_hold() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut other = holder(&directory);
    other.ask_for("lock b", "held");
    for ends_wait in [true, false] {
        let mut task = ByHand::new(async {
            let guard = locks.key("a").lock_async().await.unwrap();
            let mut wait = Box::pin(locks.key("b").lock_async());
            assert!(poll_immediate(&mut wait).await.is_none());
            (guard, wait)
        });
        let Poll::Ready((guard, wait)) = task.poll() else {
            panic!("nobody else has it");
        };
        eventually("it is said", || says(&directory, "a"));
        let (_guard, _wait) = if ends_wait {
            drop(wait);
            (Some(guard), None)
        } else {
            drop(guard);
            (None, Some(wait))
        };
        assert!(!says(&directory, "a"), "the wait has ended: {ends_wait}");
    }
}

/// It can't look itself, and what it has said is still true.
#[test]
fn process_that_is_stopped_is_part_of_a_cycle() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let (mut one, mut two) = (watcher(&directory), watcher(&directory));
    then(&mut one, "then", ["a", "b"]);
    then(&mut two, "then", ["b", "a"]);
    go([&mut two]);
    eventually("it says that it waits", || says(&directory, "b"));
    two.stop();
    go([&mut one]);
    hear(&one, &directory, &["a", "b"]);
}

/// What this process sees of a cycle that it is part of: in its locks, in a report, and in the error of
/// a wait that ends.
#[test]
fn cycle_is_seen_wherever_locks_are_looked_at() {
    if is_out_of_order("processes are to wait for each other") {
        return;
    }
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut other = watcher(&directory);
    let process = format!("in process {} (", other.id());
    then(&mut other, "then", ["b", "a"]);
    let name = directory.to_string_lossy();
    let is_reported = AtomicBool::new(false);
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let _guard = locks.key("a").lock().unwrap();
            go([&mut other]);
            // For longer, should it not be seen in time.
            let timeouts = (1..).map(|times| Duration::from_secs(3 * times));
            let mut errors = timeouts.map(|timeout| locks.key("b").lock_timeout(timeout).err());
            errors.find(|error| {
                let error = error.as_ref().expect("the other one has it");
                assert_eq!(error.kind(), ErrorKind::Timeout);
                error.deadlock().is_some() && is_reported.load(Ordering::SeqCst)
            })
        });
        eventually("it is suspected", || {
            let locks = snapshot();
            let locks = locks.iter().filter(|lock| lock.space == name);
            locks.filter(|lock| lock.suspected_deadlock).count() == 2
        });
        let mut text = String::new();
        // A report has room for those causes for which most is waited, and other tests of this process may have many.
        eventually("it is reported", || {
            let report = report();
            let mut causes = report.causes().iter();
            let cause = causes.find(|cause| cause.space() == name && cause.deadlock().is_some());
            text = cause.map(ToString::to_string).unwrap_or_default();
            cause.is_some()
        });
        is_reported.store(true, Ordering::SeqCst);
        assert!(
            text.contains("A deadlock, in which each waits for the next:"),
            "{text}"
        );
        let error = waits.join().unwrap().flatten().expect("one has it");
        let text = error.to_string();
        assert!(
            text.contains("; suspected deadlock:\n") && text.contains(&process),
            "{text}"
        );
    });
    other.hear_of("deadlock");
    other.hear_of("second");
    assert!(suspected(&locks).is_empty());
}

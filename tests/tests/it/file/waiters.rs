//! How many wait for a lock file, in all processes.

use super::{HOLDER, holder};
use lockutils::{ErrorKind, FileLocks, LockState};
use lockutils_tests::{ByHand, Directory, Process, eventually, is_out_of_order, skip};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{self, Command};
use std::thread;
use std::time::Duration;

/// A directory, its space here, and two other processes.
fn two() -> (Directory, FileLocks, Process, Process) {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let processes = (holder(&directory), holder(&directory));
    (directory, locks, processes.0, processes.1)
}

/// The state of the one lock that is held.
fn state(locks: &FileLocks) -> LockState {
    let mut states = locks.states().unwrap();
    assert_eq!(states.len(), 1, "{states:?}");
    states.remove(0)
}

/// Waits until it is seen that so many wait, and in which processes.
fn see(locks: &FileLocks, waiters: usize, pids: &[u32]) {
    let mut pids = pids.to_vec();
    pids.sort_unstable();
    let what = format!("{waiters} wait in {pids:?}");
    eventually(&what, || {
        let state = state(locks);
        state.waiters == waiters && state.waiter_pids == pids
    });
}

/// How often a process is named in what is written of waiters.
fn lines(path: &Path, pid: u32) -> usize {
    let text = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&text);
    let lines = text.split("waiters ").skip(1);
    lines
        .filter(|line| line.contains(&format!(" pid={pid} ")))
        .count()
}

#[test]
fn each_thread_and_task_of_another_process_is_counted() {
    let (_directory, locks, mut one, mut two) = two();
    let guard = locks.key("key").lock().unwrap();
    one.ask_for("crowd 2 3 key", "crowd");
    see(&locks, 5, &[one.id()]);
    two.ask_for("crowd 1 1 key", "crowd");
    see(&locks, 7, &[one.id(), two.id()]);
    two.kill();
    see(&locks, 5, &[one.id()]);
    drop(guard);
    // All get it, and nothing stays that could be taken for a waiter.
    one.ask_for("lock key", "held");
    see(&locks, 0, &[]);
    eventually("its line is taken away", || {
        lines(&locks.path("key").unwrap(), one.id()) == 0
    });
}

/// Who told of them still lives, and tells of another file.
#[test]
fn waiters_of_a_file_that_their_process_has_closed_are_gone() {
    if is_out_of_order("the first of two files is taken once more") {
        return;
    }
    let (_directory, locks, mut one, _two) = two();
    let first = locks.key("a").lock().unwrap();
    let _second = locks.key("b").lock().unwrap();
    let waiters = || {
        let states = locks.states().unwrap();
        states.iter().map(|state| state.waiters).collect::<Vec<_>>()
    };
    one.ask_for("keep 0", "done");
    one.ask_for("crowd 1 1 a", "crowd");
    one.ask_for("crowd 1 1 b", "crowd");
    eventually("they wait for both", || waiters() == [2, 2]);
    drop(first);
    let path = locks.path("a").unwrap();
    eventually("nobody waits for the first, and no line says so", || {
        // Only for a moment, since some of them may still come for it.
        let _first = locks.key("a").lock().unwrap();
        waiters() == [0, 2] && lines(&path, one.id()) == 0
    });
}

/// Nobody of them waits in the kernel.
#[test]
fn those_who_wait_for_a_holder_of_their_own_process_are_counted() {
    let (_directory, locks, mut one, mut two) = two();
    one.ask_for("lock key", "held");
    one.ask_for("crowd 2 1 key", "crowd");
    see(&locks, 3, &[one.id()]);
    let mut waiter = ByHand::new(locks.key("key").lock_async());
    assert!(waiter.poll().is_pending());
    two.ask_for("crowd 1 0 key", "crowd");
    see(&locks, 5, &[one.id(), two.id(), process::id()]);
    eventually("the holder sees all as well", || {
        one.ask_for("waiters key", "waiters") == "5"
    });
}

#[test]
fn shared_waiters_of_one_process_are_counted() {
    let (_directory, locks, mut one, _two) = two();
    one.ask_for("lock key", "held");
    let mut waiters: Vec<_> = (0..4)
        .map(|_| ByHand::new(locks.key("key").shared().lock_async()))
        .collect();
    for waiter in &mut waiters {
        assert!(waiter.poll().is_pending());
    }
    see(&locks, 4, &[process::id()]);
    waiters.truncate(1);
    see(&locks, 1, &[process::id()]);
}

/// The thread that has waited for it in the kernel still does.
#[test]
fn waiter_that_has_given_up_is_not_counted() {
    let (_directory, locks, mut one, mut two) = two();
    one.ask_for("lock key", "held");
    two.ask_for("timeout 1 key", "error Timeout");
    let timeout = Duration::from_millis(1);
    let error = locks.key("key").lock_timeout(timeout).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    see(&locks, 0, &[]);
}

#[test]
fn nothing_is_written_for_waiters_beside_python() {
    let directory = Directory::new();
    let locks = FileLocks::oslo(&*directory, "nova");
    let _guard = locks.key("key").lock().unwrap();
    let mut waiters = [(); 2].map(|()| ByHand::new(locks.key("key").lock_async()));
    assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_pending()));
    assert_eq!(state(&locks).waiters, 2);
    drop(waiters);
    assert_eq!(fs::metadata(directory.join("nova-key")).unwrap().len(), 0);
}

/// A process that can't write waits all the same.
#[test]
fn waiters_that_cannot_be_written_down_are_no_error() {
    let (_directory, locks, mut one, _two) = two();
    let guard = locks.key("key").lock().unwrap();
    one.ask_for("size 300", "done");
    one.ask_for("crowd 2 1 key", "crowd");
    if cfg!(not(lockutils_portable)) {
        eventually("the kernel shows one", || state(&locks).waiters == 1);
    }
    drop(guard);
    one.ask_for("lock key", "held");
    assert_eq!(lines(&locks.path("key").unwrap(), one.id()), 0);
}

/// The kernel shows its locks piece by piece, and meanwhile others come and go.
#[cfg(not(lockutils_portable))]
#[test]
fn wait_is_counted_once_while_other_locks_come_and_go() {
    let (directory, locks, mut one, _two) = two();
    let _guard = locks.key("key").lock().unwrap();
    one.ask_for("size 300", "done");
    one.ask_for("crowd 1 0 key", "crowd");
    eventually("the kernel shows it", || state(&locks).waiters == 1);
    let others = FileLocks::new(directory.join("others"));
    thread::scope(|scope| {
        let count = |_| state(&locks).waiters;
        let counting = scope.spawn(move || (0..500).map(count).collect());
        while !counting.is_finished() {
            let keys = (0..100).map(|index: u32| index.to_string());
            drop(others.keys(keys).lock().unwrap());
        }
        let counts: BTreeSet<usize> = counting.join().unwrap();
        assert!(counts.iter().all(|count| *count <= 1), "{counts:?}");
    });
}

/// Its id is the same then, and what it had written stays.
#[test]
fn process_that_runs_another_program_waits_no_more() {
    let (_directory, locks, mut one, mut two) = two();
    let _guard = locks.key("key").lock().unwrap();
    one.ask_for("crowd 1 2 key", "crowd");
    two.ask_for("crowd 0 2 key", "crowd");
    see(&locks, 5, &[one.id(), two.id()]);
    one.tell("exec");
    see(&locks, 2, &[two.id()]);
    assert_eq!(lines(&locks.path("key").unwrap(), one.id()), 1);
}

/// Nobody can look whether it still waits, but for the kernel, where that tells.
#[test]
fn process_of_another_pid_namespace_counts_for_one() {
    let (directory, locks, mut one, _two) = two();
    if !rustix::process::geteuid().is_root() {
        return skip("only root makes a PID namespace");
    }
    let _guard = locks.key("key").lock().unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--mount-proc", HOLDER]);
    let mut other = Process::start(unshare.arg(&*directory).arg(""));
    other.ask_for("crowd 1 2 key", "crowd");
    eventually("it sees all its own", || {
        other.ask_for("waiters key", "waiters") == "3"
    });
    let seen = usize::from(cfg!(not(lockutils_portable)));
    eventually("one is seen here", || state(&locks).waiters == seen);
    one.ask_for("crowd 1 2 key", "crowd");
    see(&locks, seen + 3, &[one.id()]);
}

/// Two files that are one after the other at one path have queues of their own.
#[test]
fn waiters_for_a_file_that_was_replaced_are_not_those_of_the_new_one() {
    let (directory, locks, mut one, mut two) = two();
    let path = directory.join("key");
    one.ask_for("lock key", "held");
    let mut waiters = [(); 3].map(|()| ByHand::new(locks.key("key").lock_async()));
    assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_pending()));
    see(&locks, 3, &[process::id()]);
    fs::remove_file(&path).unwrap();
    two.ask_for("lock key", "held");
    assert_eq!(state(&locks).waiters, 0);
    assert_eq!(state(&locks).longest_wait, None);
    // Also where the process knows the new one, by another name.
    let link = directory.join("link");
    symlink(&*directory, &link).unwrap();
    let link = FileLocks::new(link);
    let mut waiter = ByHand::new(link.key("key").lock_async());
    assert!(waiter.poll().is_pending());
    assert_eq!(state(&locks).waiters, 1);
}

/// A place in the file that another process has written over is no loss.
#[test]
fn line_that_was_overwritten_is_written_again() {
    let (_directory, locks, mut one, _two) = two();
    let _guard = locks.key("key").lock().unwrap();
    one.ask_for("crowd 0 3 key", "crowd");
    see(&locks, 3, &[one.id()]);
    let path = locks.path("key").unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    // What a holder does that can't write its record.
    file.set_len(0).unwrap();
    see(&locks, 3, &[one.id()]);
}

/// More than there is room for are counted by what the kernel shows of them.
#[cfg(not(lockutils_portable))]
#[test]
fn many_processes_are_all_counted() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let guard = locks.key("key").lock().unwrap();
    let mut processes: Vec<_> = (0..24).map(|_| holder(&directory)).collect();
    for process in &mut processes {
        process.tell("crowd 1 1 key");
    }
    let pids: Vec<_> = processes.iter().map(|process| process.id()).collect();
    see(&locks, 2 * pids.len(), &pids);
    let more: Vec<_> = (0..12).map(|_| holder(&directory)).collect();
    for mut process in more {
        process.ask_for("crowd 1 0 key", "crowd");
        processes.push(process);
    }
    eventually("each of them counts for one", || {
        state(&locks).waiters == 48 + 12
    });
    drop(guard);
}

//! A stranger who removes or replaces what is in use.

use super::holder;
use lockutils::{ErrorKind, FileLocks};
use lockutils_tests::{Directory, eventually};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// Ways to put something else in the place of a lock file.
const REPLACEMENTS: [fn(&Path); 3] = [
    |path| symlink("elsewhere", path).unwrap(),
    |path| fs::create_dir(path).unwrap(),
    |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
];

#[test]
fn file_replaced_while_held_is_an_error_for_those_who_come() {
    for replace in REPLACEMENTS {
        let directory = Directory::new();
        let locks = FileLocks::new(&*directory);
        let guard = locks.key("key").lock().unwrap();
        let mut other = holder(&directory);
        other.ask_for("try key", "error Busy");
        fs::remove_file(directory.join("key")).unwrap();
        replace(&directory.join("key"));
        let answer = other.ask_for("timeout 60000 key", "error Io");
        assert!(answer.contains("; "), "{answer}");
        // The holder isn't disturbed, and has its next error like everybody.
        drop(guard);
        let error = locks.key("key").lock().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(!directory.join("elsewhere").exists());
    }
}

#[test]
fn file_replaced_while_waited_for_is_an_error_for_the_waiter() {
    for replace in REPLACEMENTS {
        for wait in ["lock key", "timeout 60000 key", "async key"] {
            let directory = Directory::new();
            let (mut first, mut second) = (holder(&directory), holder(&directory));
            first.ask_for("lock key", "held");
            second.tell(wait);
            eventually("the second waits", || second.waits_in_kernel());
            fs::remove_file(directory.join("key")).unwrap();
            replace(&directory.join("key"));
            first.ask_for("release", "released");
            let answer = second.hear_of("error Io");
            assert!(answer.contains(directory.to_str().unwrap()), "{answer}");
        }
    }
}

/// Those who come after exclude each other.
#[test]
fn file_removed_while_held_is_made_anew_for_those_who_come() {
    let directory = Directory::new();
    let mut processes: Vec<_> = (0..3).map(|_| holder(&directory)).collect();
    processes[0].ask_for("lock key", "held");
    fs::remove_file(directory.join("key")).unwrap();
    processes[1].ask_for("lock key", "held");
    processes[2].ask_for("try key", "error Busy");
    processes[0].ask_for("release", "released");
    // It has its descriptor still, and doesn't use it.
    processes[0].ask_for("try key", "error Busy");
    processes[1].ask_for("release", "released");
    processes[2].ask_for("try key", "held");
    processes[0].ask_for("try key", "error Busy");
}

#[test]
fn file_moved_away_is_made_anew() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    drop(locks.key("key").lock().unwrap());
    fs::rename(directory.join("key"), directory.join("moved")).unwrap();
    let _guard = locks.key("key").lock().unwrap();
    holder(&directory).ask_for("try key", "error Busy");
}

#[test]
fn directory_removed_while_held_and_waited_for_is_made_anew() {
    let directory = Directory::new();
    let inner = directory.join("locks");
    let (mut first, mut second, mut third) = (holder(&inner), holder(&inner), holder(&inner));
    first.ask_for("lock key", "held");
    second.tell("lock key");
    eventually("the second waits", || second.waits_in_kernel());
    fs::remove_dir_all(&inner).unwrap();
    first.ask_for("release", "released");
    second.hear_of("held");
    third.ask_for("try key", "error Busy");
    first.ask_for("try key", "error Busy");
}

#[test]
fn directory_moved_away_is_made_anew() {
    let directory = Directory::new();
    let inner = directory.join("locks");
    let locks = FileLocks::new(&inner);
    drop(locks.key("key").lock().unwrap());
    fs::rename(&inner, directory.join("moved")).unwrap();
    let _guard = locks.key("key").lock().unwrap();
    holder(&inner).ask_for("try key", "error Busy");
}

#[test]
fn directory_replaced_by_a_file_is_an_error() {
    let directory = Directory::new();
    let inner = directory.join("locks");
    let mut first = holder(&inner);
    first.ask_for("lock key", "held");
    fs::remove_dir_all(&inner).unwrap();
    fs::write(&inner, "").unwrap();
    first.ask_for("release", "released");
    let answer = first.ask_for("lock key", "error Io");
    assert!(answer.contains("remove that"), "{answer}");
    fs::remove_file(&inner).unwrap();
    first.ask_for("lock key", "held");
}

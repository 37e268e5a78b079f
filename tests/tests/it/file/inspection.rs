//! Who looks at lock files.

use super::{HOLDER, holder};
use lockutils::{FileLocks, assert_locked};
use lockutils_tests::{Directory, Process, eventually};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::thread;
use std::time::Duration;

#[test]
fn states_name_holders_of_all_processes() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory).prefix("p-");
    let mut other = Process::start(Command::new(HOLDER).arg(&*directory).arg("p-"));
    let mut stranger = holder(&directory);
    other.ask_for("lock b/c", "held");
    other.ask_for("shared d", "held");
    stranger.ask_for("lock not-ours", "held");
    drop(locks.key("free").lock().unwrap());
    let _guard = locks.key("a").lock().unwrap();
    let states = locks.states().unwrap();
    let keys: Vec<_> = states.iter().map(|lock| lock.key.as_str()).collect();
    assert_eq!(keys, ["a", "b/c", "d"]);
    let pids = [std::process::id(), other.id(), other.id()];
    for (lock, pid) in states.iter().zip(pids) {
        assert_eq!(lock.space, locks.name());
        assert_eq!(lock.holders[0].pid(), Some(pid));
        assert_eq!(lock.waiters, 0);
    }
}

#[test]
fn states_count_waiters_of_all_processes() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut processes: Vec<_> = (0..3).map(|_| holder(&directory)).collect();
    processes[0].ask_for("lock key", "held");
    for process in &mut processes[1..] {
        process.tell("lock key");
    }
    let waiters = || locks.states().unwrap()[0].waiters;
    eventually("two wait", || waiters() == 2);
    let pid = processes[0].id();
    let states = locks.states().unwrap();
    assert_eq!(states[0].holders[0].pid(), Some(pid));
    processes[2].kill();
    eventually("one waits", || waiters() == 1);
}

/// Files of Python's rule have no record; the kernel doesn't say who has an open file's lock.
#[test]
fn states_of_oslo_have_no_more_than_the_kernel_tells() {
    let directory = Directory::new();
    let locks = FileLocks::oslo(&*directory, "nova");
    let _guard = locks.key("a/b").lock().unwrap();
    let states = locks.states().unwrap();
    assert_eq!(states.len(), 1);
    assert_eq!(states[0].key.as_str(), "a_b");
    assert!(states[0].holders.is_empty());
}

#[test]
fn lock_of_another_process_is_seen_to_be_locked() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    assert!(!locks.key("key").is_locked().unwrap());
    assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
    let mut other = holder(&directory);
    other.ask_for("shared key", "held");
    assert!(locks.key("key").is_locked().unwrap());
    assert_locked!(locks, "key");
    other.ask_for("release", "released");
    assert!(!locks.key("key").is_locked().unwrap());
    let panic = catch_unwind(AssertUnwindSafe(|| assert_locked!(locks, "key")));
    let text = *panic.unwrap_err().downcast::<String>().unwrap();
    assert!(
        text.ends_with("is not held; its holder must call this"),
        "{text}"
    );
}

#[test]
fn path_is_where_the_file_is() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory).prefix("p-");
    let path = locks.path("a b").unwrap();
    assert_eq!(path, directory.join("p-a%20b"));
    drop(locks.key("a b").lock().unwrap());
    assert!(path.exists());
}

/// Who takes a lock again and again reads what is in its file only where that may be another's by now.
///
/// With `Seen::is_unchanged` always true, this fails in the first rounds.
#[test]
fn file_names_its_holder_after_another_process_had_it() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let lock = || locks.key("key").lock().unwrap();
    let mut other = holder(&directory);
    let name = |id: u32| format!(" pid={id} ");
    for round in 0..30 {
        for _ in 0..round % 4 {
            drop(lock());
            // The clock of the file system ticks, and the file is known to be left alone.
            thread::sleep(Duration::from_millis(5));
        }
        drop(lock());
        other.ask_for("lock key", "held");
        other.ask_for("release", "released");
        let guard = lock();
        let text = fs::read_to_string(directory.join("key")).unwrap();
        assert!(text.contains(&name(std::process::id())), "{text}");
        drop(guard);
    }
}

/// Relative paths are from where the process is when the space is made.
#[test]
fn two_spaces_of_one_directory_are_the_same() {
    let directory = Directory::new();
    let odd = directory.join("./x/");
    let (one, two) = (FileLocks::new(directory.join("x")), FileLocks::new(odd));
    assert_eq!(one.name(), two.name());
    let _guard = one.key("key").lock().unwrap();
    let error = two.key("key").try_lock().unwrap_err();
    // The in-process lock knows the thread.
    assert!(error.holder().unwrap().site().is_some());
}

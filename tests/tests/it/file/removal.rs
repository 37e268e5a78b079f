//! Lock files that are removed while others lock them.

use super::{holder, nobody, number};
use lockutils::{ErrorKind, FileLocks};
use lockutils_tests::{Directory, LIMIT, eventually};
use std::collections::BTreeSet;
use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long the long test runs: a short time, unless one asks for more.
fn time() -> Duration {
    let seconds = env::var("LOCKUTILS_STRESS_SECONDS").ok();
    Duration::from_secs(seconds.map_or(3, |seconds| number(&seconds)))
}

#[test]
fn remove_takes_the_file_away() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory).prefix("p-");
    assert!(!locks.remove("key").unwrap());
    drop(locks.key("key").lock().unwrap());
    assert!(locks.path("key").unwrap().exists());
    assert!(locks.remove("key").unwrap());
    assert!(!locks.path("key").unwrap().exists());
    drop(locks.key("key").lock().unwrap());
    assert!(locks.path("key").unwrap().exists());
}

#[test]
fn held_file_is_not_removed() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut other = holder(&directory);
    other.ask_for("lock a", "held");
    let _guard = locks.key("b").shared().lock().unwrap();
    for key in ["a", "b"] {
        let error = locks.remove(key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(locks.path(key).unwrap().exists());
    }
    let swept = locks.sweep().unwrap();
    assert!(swept.removed.is_empty());
    let busy = swept.busy.iter().map(|error| error.key().unwrap());
    assert_eq!(busy.collect::<BTreeSet<_>>(), BTreeSet::from(["a", "b"]));
    assert_eq!(other.ask_for("sweep", "removed"), "0");
}

#[test]
fn sweep_removes_what_nobody_holds_and_nothing_else() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory).prefix("p-");
    for key in ["a", "b", "held", &"long".repeat(100)] {
        drop(locks.key(key).lock().unwrap());
    }
    drop(FileLocks::new(&*directory).key("other").lock().unwrap());
    fs::write(directory.join("p-no-lock"), "something else").unwrap();
    fs::write(directory.join("p-empty"), "").unwrap();
    fs::create_dir(directory.join("p-directory")).unwrap();
    let _guard = locks.key("held").lock().unwrap();
    assert_eq!(locks.sweep().unwrap().removed.len(), 3);
    let mut left: Vec<_> = fs::read_dir(&*directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["other", "p-directory", "p-empty", "p-held", "p-no-lock"]
    );
}

/// Among them one that can't be written to, and one that can't even be read.
#[test]
fn sweep_goes_on_past_files_that_it_may_not_remove() {
    let directory = Directory::new();
    let locks = directory.join("locks");
    fs::create_dir(&locks).unwrap();
    for path in [&*directory, &locks] {
        fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    }
    let mut process = nobody(&locks);
    for key in ["a", "b", "c", "d", "e", "f"] {
        process.ask_for(&format!("lock {key}"), "held");
        process.ask_for("release", "released");
    }
    // Kept open, they need no permission any more.
    process.ask_for("keep 0", "done");
    let [no_write, no_read] = [("b", 0o444), ("e", 0o000)].map(|(key, mode)| {
        let path = locks.join(key);
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    });
    let answer = process.ask_for("sweep", "removed");
    assert_eq!(answer, format!("4 failed {no_write} {no_read}"));
    assert_eq!(fs::read_dir(&locks).unwrap().count(), 2);
}

#[test]
fn sweep_of_a_missing_directory_removes_nothing() {
    let directory = Directory::new();
    let locks = FileLocks::new(directory.join("missing"));
    assert!(locks.sweep().unwrap().removed.is_empty());
    assert!(locks.states().unwrap().is_empty());
    assert!(!directory.join("missing").exists());
}

/// Python's programs would go on with the file that is gone.
#[test]
fn files_of_oslo_are_never_removed() {
    let directory = Directory::new();
    let locks = FileLocks::oslo(&*directory, "nova");
    drop(locks.key("key").lock().unwrap());
    let error = locks.remove("key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(locks.sweep().is_err());
    assert!(locks.path("key").unwrap().exists());
    assert_eq!(fs::read(locks.path("key").unwrap()).unwrap(), b"");
}

/// The waiter finds that it has got a file that is gone, and goes on with the new one, on
/// which others wait for it.
#[test]
fn waiter_goes_on_with_the_new_file() {
    for wait in ["lock", "timeout 60000", "async", "shared"] {
        let directory = Directory::new();
        let (mut first, mut second, mut third) =
            (holder(&directory), holder(&directory), holder(&directory));
        first.ask_for("lock key", "held");
        second.tell(&format!("{wait} key"));
        eventually("the second waits", || second.waits_in_kernel());
        fs::remove_file(directory.join("key")).unwrap();
        third.ask_for("lock key", "held");
        first.ask_for("release", "released");
        let released = number(&third.ask_for("release", "released"));
        assert!(number(&second.hear_of("held")) > released);
    }
}

/// Threads that hand the lock on in the process, each of which removes the file before it does. A look is
/// left out after holds that were too short for a removal.
///
/// With `kernel::BRIEF` a second, this fails in the first round.
#[test]
fn file_removed_by_a_thread_under_its_lock_is_there_again_for_the_next() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let path = directory.join("key");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..400 {
                    let _guard = locks.key("key").lock().unwrap();
                    if round % 2 == 0 {
                        fs::remove_file(&path).expect("the lock is that of the file of its name");
                    }
                }
            });
        }
    });
}

/// Eight processes lock and unlock while two sweep continuously, and there are never two
/// holders.
///
/// With the look whether the locked file is still at its path left out of `Kernel::try_take`,
/// so that `Descriptor::is_at` is always true, this fails within a second: one waits for the
/// file that a sweep removes, and has its lock beside the one who comes next. Half of the
/// lockers open the file anew each time, the others keep it open.
#[test]
fn removal_never_lets_two_in() {
    let directory = Directory::new();
    let (locks, inside) = (directory.join("locks"), directory.join("inside"));
    let mut lockers: Vec<_> = (0..8).map(|_| holder(&locks)).collect();
    let mut sweepers: Vec<_> = (0..2).map(|_| holder(&locks)).collect();
    for process in &mut lockers[..4] {
        process.ask_for("keep 0", "done");
    }
    let start = Instant::now();
    let removed = AtomicU64::new(0);
    // And until that many have been, on however busy a machine.
    let is_enough = || removed.load(Ordering::SeqCst) > 10 || start.elapsed() > LIMIT;
    let goes_on = || start.elapsed() < time() || !is_enough();
    thread::scope(|scope| {
        for process in &mut lockers {
            let inside = &inside;
            scope.spawn(move || {
                while goes_on() {
                    process.ask_for(&format!("inside 200 {} key", inside.display()), "done");
                }
            });
        }
        for process in &mut sweepers {
            scope.spawn(|| {
                while goes_on() {
                    let count = process.ask_for("sweep", "removed");
                    removed.fetch_add(number(&count), Ordering::SeqCst);
                }
            });
        }
    });
    assert!(removed.into_inner() > 10, "the sweeps have removed files");
}

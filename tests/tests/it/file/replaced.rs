//! A stranger who removes or replaces what is in use.

use super::{HOLDER, holder};
use lockutils::{ErrorKind, FileLocks};
use lockutils_tests::{Directory, Process, Recorder, eventually};
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

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

/// Has the directory come and go until all have locked in it so often. Nobody is told an error.
fn directory_that_comes_and_goes(directory: &Path, mut processes: Vec<Process>) {
    const ROUNDS: usize = 200;
    let locks = FileLocks::new(directory);
    let recorder = Recorder::new();
    let (done, all) = (AtomicUsize::new(0), 2 + processes.len());
    for process in &mut processes {
        process.tell(&format!("stay {ROUNDS} 0 key"));
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            while done.load(Ordering::Relaxed) < all {
                let _ = fs::remove_dir_all(directory);
                thread::yield_now();
                let _ = DirBuilder::new().mode(0o700).create(directory);
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                // Who panics is done as well.
                let _done = Done(&done);
                for _ in 0..ROUNDS {
                    let _guard = locks.key("key").lock().unwrap();
                    // Those of one process exclude each other all the same.
                    drop(recorder.enter());
                }
            });
        }
        for process in &processes {
            let _done = Done(&done);
            loop {
                let line = process.hear().expect("it lives");
                assert!(!line.starts_with("error"), "{line}");
                if line == "done" {
                    break;
                }
            }
        }
    });
    recorder.assert_exclusive(2 * ROUNDS);
}

struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn directory_that_comes_and_goes_is_nobodys_error() {
    let directory = Directory::new();
    let inner = directory.join("some/locks");
    let processes = vec![holder(&inner), holder(&inner)];
    directory_that_comes_and_goes(&inner, processes);
}

#[test]
fn own_directory_that_comes_and_goes_is_nobodys_error() {
    let directory = Directory::new();
    let processes = (0..2).map(|_| {
        let mut command = Command::new(HOLDER);
        command.arg("--default");
        command.env_remove("LOCKUTILS_DIR");
        command.env_remove("OSLO_LOCK_PATH");
        Process::start(command.env("XDG_RUNTIME_DIR", &*directory))
    });
    directory_that_comes_and_goes(&directory.join("lockutils"), processes.collect());
}

/// One that is removed under its lock lets no two in, be they in one process or in several.
#[test]
fn directory_removed_under_the_lock_lets_no_two_in() {
    const ROUNDS: usize = 200;
    let directory = Directory::new();
    let (inner, inside) = (directory.join("locks"), directory.join("inside"));
    let mut processes = [holder(&inner), holder(&inner)];
    for process in &mut processes {
        process.tell(&format!("inside {ROUNDS} {} key", inside.display()));
    }
    let locks = FileLocks::new(&inner);
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while done.load(Ordering::Relaxed) < 4 {
                let _guard = locks.key("key").lock().unwrap();
                // Not what others make there from now on.
                fs::remove_file(inner.join("key")).unwrap();
                let _ = fs::remove_dir(&inner);
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let _done = Done(&done);
                for _ in 0..ROUNDS {
                    let _guard = locks.key("key").lock().unwrap();
                    File::create_new(&inside).expect("nobody else is inside");
                    fs::remove_file(&inside).unwrap();
                }
            });
        }
        for process in &processes {
            let _done = Done(&done);
            process.hear_of("done");
        }
    });
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

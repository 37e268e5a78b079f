//! Lock files shared with Python's oslo.concurrency and fasteners, the real ones.
//!
//! Most cases have two sides, of which either is Rust's or Python's; where they are the same
//! side there is nothing to see that other tests don't show. The processes of both obey
//! the same commands.

use super::crowd::{assert_exclusive, stays};
use super::{HOLDER, number};
use lockutils::{ErrorKind, FileLocks};
use lockutils_tests::{Directory, Process, eventually};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const PREFIX: &str = "nova";

/// The file of the key that all cases lock.
const FILE: &str = "nova-key";

#[derive(Clone, Copy, Debug)]
enum Side {
    Rust,
    Python,
}

const BOTH_WAYS: [(Side, Side); 2] = [(Side::Rust, Side::Python), (Side::Python, Side::Rust)];

impl Side {
    /// A process of this side; `None` where there is no Python.
    fn start(self, directory: &Path) -> Option<Process> {
        match self {
            Self::Python => Process::python(directory, PREFIX),
            Self::Rust => {
                let mut command = Command::new(HOLDER);
                command.arg("--oslo").arg(directory).arg(PREFIX);
                Some(Process::start(&mut command))
            }
        }
    }

    /// What one that tries says where the lock is taken.
    fn busy(self) -> &'static str {
        match self {
            Self::Rust => "error Busy",
            Self::Python => "busy",
        }
    }
}

/// So many processes of each side.
fn of_each(count: usize, directory: &Path) -> Option<Vec<Process>> {
    let sides = [Side::Rust, Side::Python].into_iter();
    sides
        .flat_map(|side| std::iter::repeat_n(side, count))
        .map(|side| side.start(directory))
        .collect()
}

/// Waits until a process has the lock file open: it has begun to try.
fn has_begun(process: &Process, file: &Path) {
    eventually("it tries", || {
        let open = fs::read_dir(format!("/proc/{}/fd", process.id())).expect("it runs");
        let mut open = open
            .flatten()
            .filter_map(|file| file.path().read_link().ok());
        open.any(|open| open == file)
    });
}

#[test]
fn file_names_are_those_of_oslo() {
    for prefix in ["", "nova", "nova-", "nova--"] {
        let directory = Directory::new();
        let Some(mut python) = Process::python(&directory, prefix) else {
            return;
        };
        let locks = FileLocks::oslo(&*directory, prefix);
        for key in [
            "a", "a/b", "/a//b/", "a_b", "..a", "-", "~", "50%", "é", "a:b",
        ] {
            let named = python.ask_for(&format!("file {key}"), "file");
            assert_eq!(locks.path(key).unwrap(), PathBuf::from(named), "{key}");
            let guard = locks.key(key).lock().unwrap();
            python.ask_for(&format!("try {key}"), "busy");
            drop(guard);
            python.ask_for(&format!("try {key}"), "held");
            let error = locks.key(key).try_lock().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Busy, "{key}");
            python.ask_for("release", "released");
        }
    }
}

#[test]
fn holder_of_one_side_keeps_the_other_out() {
    for (one, other) in BOTH_WAYS {
        let directory = Directory::new();
        let (Some(mut holder), Some(mut waiter)) = (one.start(&directory), other.start(&directory))
        else {
            return;
        };
        for _ in 0..3 {
            holder.ask_for("lock key", "held");
            waiter.ask_for("try key", other.busy());
            waiter.tell("lock key");
            has_begun(&waiter, &directory.join(FILE));
            assert!(waiter.is_silent());
            let released = number(&holder.ask_for("release", "released"));
            assert!(number(&waiter.hear_of("held")) > released, "{one:?}");
            holder.ask_for("try key", one.busy());
            waiter.ask_for("release", "released");
            waiter.ask_for("try key", "held");
            waiter.ask_for("release", "released");
        }
    }
}

#[test]
fn every_wait_of_rust_ends_when_python_releases() {
    for wait in [
        "lock",
        "timeout 60000",
        "async",
        "timeout_async 60000",
        "keys",
    ] {
        let directory = Directory::new();
        let Some(mut python) = Side::Python.start(&directory) else {
            return;
        };
        let mut rust = Side::Rust.start(&directory).unwrap();
        python.ask_for("lock key", "held");
        rust.ask_for("timeout 20 key", "error Timeout");
        rust.ask_for("timeout_async 20 key", "error Timeout");
        rust.tell(&format!("{wait} key"));
        has_begun(&rust, &directory.join(FILE));
        let released = number(&python.ask_for("release", "released"));
        assert!(number(&rust.hear_of("held")) > released, "{wait}");
        python.ask_for("try key", "busy");
    }
}

/// Spaces of our own rule exclude Python as well, and wait for it in the kernel.
#[test]
fn kernel_grants_what_python_releases() {
    let directory = Directory::new();
    let Some(mut python) = Side::Python.start(&directory) else {
        return;
    };
    let own = |directory: &Path| Process::start(Command::new(HOLDER).arg(directory).arg("nova-"));
    for wait in ["lock", "timeout 60000", "async"] {
        let mut rust = own(&directory);
        python.ask_for("lock key", "held");
        rust.tell(&format!("{wait} key"));
        eventually("it waits in the kernel", || rust.waits_in_kernel());
        let released = number(&python.ask_for("release", "released"));
        assert!(number(&rust.hear_of("held")) > released, "{wait}");
        python.ask_for("try key", "busy");
    }
}

/// The kernel knows who holds such a lock, so the error does.
#[test]
fn error_names_the_process_of_python() {
    let directory = Directory::new();
    let Some(mut python) = Side::Python.start(&directory) else {
        return;
    };
    python.ask_for("lock key", "held");
    let error = FileLocks::oslo(&*directory, PREFIX)
        .key("key")
        .try_lock()
        .unwrap_err();
    assert_eq!(error.holder().unwrap().pid(), Some(python.id()));
    assert!(
        error.to_string().contains(&python.id().to_string()),
        "{error}"
    );
}

#[test]
fn shared_holds_of_both_sides_overlap() {
    let directory = Directory::new();
    let Some(mut python) = Side::Python.start(&directory) else {
        return;
    };
    let mut rust = Side::Rust.start(&directory).unwrap();
    python.ask_for("shared key", "held");
    rust.ask_for("try key", "error Busy");
    rust.ask_for("shared key", "held");
    python.ask_for("release", "released");
    python.ask_for("try key", "busy");
    python.ask_for("shared key", "held");
    rust.ask_for("release", "released");
    rust.tell("lock key");
    has_begun(&rust, &directory.join(FILE));
    assert!(rust.is_silent());
    let released = number(&python.ask_for("release", "released"));
    assert!(number(&rust.hear_of("held")) > released);
}

#[test]
fn writer_of_fasteners_waits_for_shared_holds() {
    let directory = Directory::new();
    let Some(mut python) = Side::Python.start(&directory) else {
        return;
    };
    let mut rust = Side::Rust.start(&directory).unwrap();
    rust.ask_for("shared key", "held");
    python.tell("exclusive key");
    has_begun(&python, &directory.join(FILE));
    assert!(python.is_silent());
    let released = number(&rust.ask_for("release", "released"));
    assert!(number(&python.hear_of("held")) > released);
    rust.ask_for("try key", "error Busy");
    rust.ask_for("timeout 20 key", "error Timeout");
    python.ask_for("release", "released");
    rust.ask_for("try key", "held");
}

#[test]
fn killed_holder_of_one_side_frees_the_lock_for_the_other() {
    for (one, other) in BOTH_WAYS {
        let directory = Directory::new();
        let (Some(mut holder), Some(mut waiter)) = (one.start(&directory), other.start(&directory))
        else {
            return;
        };
        holder.ask_for("lock key", "held");
        waiter.tell("lock key");
        has_begun(&waiter, &directory.join(FILE));
        assert!(waiter.is_silent());
        holder.kill();
        waiter.hear_of("held");
    }
}

#[test]
fn killed_waiter_of_one_side_leaves_the_lock_to_the_other() {
    for (one, other) in BOTH_WAYS {
        let directory = Directory::new();
        let (Some(mut holder), Some(mut waiter)) = (one.start(&directory), other.start(&directory))
        else {
            return;
        };
        holder.ask_for("lock key", "held");
        waiter.tell("lock key");
        has_begun(&waiter, &directory.join(FILE));
        waiter.kill();
        holder.ask_for("release", "released");
        holder.ask_for("try key", "held");
    }
}

#[test]
fn processes_of_both_sides_exclude_each_other() {
    let directory = Directory::new();
    let Some(mut processes) = of_each(2, &directory) else {
        return;
    };
    for process in &mut processes {
        process.tell("stay 50 200 key");
    }
    let stays: Vec<_> = processes.iter().flat_map(stays).collect();
    assert_eq!(stays.len(), 200);
    assert_exclusive(stays);
}

/// Read, add one, write, without any lock but the file's.
#[test]
fn counter_of_both_sides_loses_no_update() {
    const TIMES: usize = 250;
    let directory = Directory::new();
    let counter = directory.join("counter");
    fs::write(&counter, "0").unwrap();
    let Some(mut processes) = of_each(2, &directory.join("locks")) else {
        return;
    };
    for process in &mut processes {
        process.tell(&format!("count {TIMES} {} key", counter.display()));
    }
    for process in &processes {
        process.hear_of("done");
    }
    let text = fs::read_to_string(&counter).unwrap();
    assert_eq!(text.trim(), (4 * TIMES).to_string());
}

/// Python only tries now and then, and is to find the lock free.
#[test]
fn who_held_for_long_gives_way_before_it_locks_again() {
    let directory = Directory::new();
    let locks = FileLocks::oslo(&*directory, PREFIX);
    let hold = Duration::from_millis(40);
    let guard = locks.key("key").lock().unwrap();
    thread::sleep(hold);
    let released = Instant::now();
    drop(guard);
    drop(locks.key("key").lock().unwrap());
    assert!(released.elapsed() >= hold / 3, "{:?}", released.elapsed());
}

#[test]
fn giving_way_makes_nobody_time_out() {
    let directory = Directory::new();
    let locks = FileLocks::oslo(&*directory, PREFIX);
    for timeout in [Duration::ZERO, Duration::from_millis(1)] {
        let guard = locks.key("key").lock().unwrap();
        thread::sleep(Duration::from_millis(40));
        drop(guard);
        drop(locks.key("key").lock_timeout(timeout).unwrap());
        drop(pollster::block_on(locks.key("key").lock_timeout_async(timeout)).unwrap());
        drop(locks.key("key").try_lock().unwrap());
    }
}

/// Two processes of each side keep the lock for a millisecond, again and again. Which of
/// them finds it free is left to chance, so this takes its time.
#[test]
fn neither_side_starves() {
    let seconds = env::var("LOCKUTILS_OSLO_SECONDS").map_or(2, |seconds| number(&seconds));
    let time = Duration::from_secs(seconds);
    let directory = Directory::new();
    let Some(mut processes) = of_each(2, &directory) else {
        return;
    };
    for (index, process) in processes.iter_mut().enumerate() {
        // All of them are up before the first begins.
        process.ask_for(&format!("lock {index}"), "held");
    }
    for process in &mut processes {
        process.tell(&format!("hog {} 1000 key", time.as_millis()));
    }
    let took: Vec<_> = processes
        .iter()
        .map(|process| number(&process.hear_of("done")))
        .collect();
    let (rust, python) = took.split_at(2);
    let [rust, python]: [u64; 2] = [rust, python].map(|took| took.iter().sum());
    assert!(
        10 * rust >= python && 10 * python >= rust,
        "Rust took it {rust} times, Python {python} times"
    );
}

//! Processes that die, or stop, while they hold or wait.

use super::{HOLDER, holder, number, under_strace};
use lockutils::{ErrorKind, FileLocks};
use lockutils_tests::{Directory, Process, eventually};
use rustix::process::Signal;
use std::process::Command;
use std::time::{Duration, Instant};

const KEY: &str = "key";

#[test]
fn killed_holder_frees_file_lock() {
    let directory = Directory::new();
    let (mut first, mut second) = (holder(&directory), holder(&directory));
    first.ask_for("lock key", "held");
    second.tell("lock key");
    eventually("the second waits", || second.waits_in_kernel());
    assert!(second.is_silent());
    first.kill();
    second.hear_of("held");
    assert!(FileLocks::new(&*directory).key(KEY).try_lock().is_err());
    second.kill();
    assert!(FileLocks::new(&*directory).key(KEY).try_lock().is_ok());
}

#[test]
fn killed_waiter_leaves_the_lock_to_others() {
    let directory = Directory::new();
    let (mut first, mut second, mut third) =
        (holder(&directory), holder(&directory), holder(&directory));
    first.ask_for("lock key", "held");
    for waiter in [&mut second, &mut third] {
        waiter.tell("lock key");
        eventually("it waits", || waiter.waits_in_kernel());
    }
    second.kill();
    let released = number(&first.ask_for("release", "released"));
    assert!(number(&third.hear_of("held")) > released);
}

/// A process is killed just when it has the lock and is about to write down who it is.
#[test]
fn holder_killed_before_it_writes_frees_the_lock() {
    let directory = Directory::new();
    let kill = ["-o", "/dev/null", "-e", "inject=pwrite64:signal=KILL"];
    let Some(mut dying) = under_strace(&kill, &directory) else {
        return;
    };
    dying.tell("lock key");
    assert_eq!(dying.hear(), None);
    assert!(!dying.end().success());
    assert_eq!(directory.join(KEY).metadata().unwrap().len(), 0);

    let locks = FileLocks::new(&*directory);
    assert!(!locks.key(KEY).is_locked().unwrap());
    drop(locks.key(KEY).lock().unwrap());
    assert!(directory.join(KEY).metadata().unwrap().len() > 0);
}

#[test]
fn stopped_holder_keeps_the_lock_and_others_their_deadline() {
    let directory = Directory::new();
    let mut first = holder(&directory);
    first.ask_for("lock key", "held");
    first.stop();

    let locks = FileLocks::new(&*directory);
    let start = Instant::now();
    let timeout = Duration::from_millis(50);
    let error = locks.key(KEY).lock_timeout(timeout).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.holder().unwrap().pid(), Some(first.id()));
    assert!(error.waited() >= timeout && start.elapsed() < Duration::from_secs(30));

    first.signal(Signal::CONT);
    first.ask_for("release", "released");
    drop(locks.key(KEY).lock().unwrap());
}

#[test]
fn stopped_waiter_is_in_nobodys_way() {
    let directory = Directory::new();
    let (mut first, mut second) = (holder(&directory), holder(&directory));
    first.ask_for("lock key", "held");
    second.tell("lock key");
    eventually("the second waits", || second.waits_in_kernel());
    second.stop();
    first.ask_for("release", "released");
    for _ in 0..10 {
        first.ask_for("timeout 60000 key", "held");
        first.ask_for("release", "released");
    }
    second.signal(Signal::CONT);
    second.hear_of("held");
}

/// A program that was started while the lock was held has none of it, and doesn't keep it.
#[test]
fn program_that_outlives_the_holder_does_not_keep_the_lock() {
    let directory = Directory::new();
    let mut first = holder(&directory);
    first.ask_for("lock key", "held");
    let sleeper = first.ask_for("start", "started");
    let open = std::fs::read_dir(format!("/proc/{sleeper}/fd")).unwrap();
    let is_lock_file = |file: std::path::PathBuf| file.starts_with(&*directory);
    assert!(
        !open
            .flatten()
            .filter_map(|file| file.path().read_link().ok())
            .any(is_lock_file)
    );
    first.kill();
    drop(FileLocks::new(&*directory).key(KEY).try_lock().unwrap());
    let killed = Command::new("kill").args(["-KILL", &sleeper]).status();
    assert!(killed.unwrap().success());
}

/// The lock ends with the holder also while others of the process's files stay open.
#[test]
fn shared_holder_killed_lets_an_exclusive_one_in() {
    let directory = Directory::new();
    let (mut first, mut second, mut writer) =
        (holder(&directory), holder(&directory), holder(&directory));
    first.ask_for("shared key", "held");
    second.ask_for("shared key", "held");
    writer.tell("lock key");
    eventually("the writer waits", || writer.waits_in_kernel());
    first.kill();
    assert!(writer.is_silent());
    let released = number(&second.ask_for("release", "released"));
    assert!(number(&writer.hear_of("held")) > released);
}

/// A thread of the standard library's own wait, a timed one and a task: all give way to the
/// one who is killed.
#[test]
fn every_kind_of_waiter_gets_the_lock_of_who_is_killed() {
    for wait in [
        "lock",
        "timeout 60000",
        "async",
        "timeout_async 60000",
        "keys",
    ] {
        let directory = Directory::new();
        let mut first = Process::start(Command::new(HOLDER).arg(&*directory).arg("p-"));
        let mut second = Process::start(Command::new(HOLDER).arg(&*directory).arg("p-"));
        first.ask_for("lock key", "held");
        second.tell(&format!("{wait} key"));
        eventually("the second waits", || second.waits_in_kernel());
        first.kill();
        second.hear_of("held");
    }
}

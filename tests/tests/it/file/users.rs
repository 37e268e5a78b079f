//! Lock files that several users share.

use super::{holder, nobody, under_strace};
use lockutils::FileLocks;
use lockutils_tests::{Directory, eventually};
use std::fs::{self, Permissions};
use std::hint;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// As in `/tmp`, nobody can remove what is another's.
#[test]
fn users_of_a_sticky_directory_exclude_each_other() {
    let directory = Directory::new();
    set_mode(&directory, 0o1777);
    let (mut first, mut second) = (holder(&directory), nobody(&directory));
    for key in ["a", "b"] {
        first.ask_for(&format!("lock {key}"), "held");
        set_mode(&directory.join(key), 0o666);
        second.ask_for(&format!("try {key}"), "error Busy");
        second.tell(&format!("lock {key}"));
        eventually("the second waits", || second.waits_in_kernel());
        first.ask_for("release", "released");
        second.hear_of("held");
        first.ask_for(&format!("try {key}"), "error Busy");
        second.ask_for("release", "released");
        (first, second) = (second, first);
    }
}

/// Where `fs.protected_regular` is set, as on most systems, Linux refuses to open another
/// user's file in a sticky directory to who would make it if it weren't there.
#[test]
fn file_that_is_there_is_opened_without_making_it() {
    let directory = Directory::new();
    let trace = directory.join("trace");
    let options = ["-e", "trace=openat", "-o", trace.to_str().unwrap()];
    let Some(mut process) = under_strace(&options, &directory.join("locks")) else {
        return;
    };
    for command in ["lock key", "try key", "async key"] {
        process.ask_for(command, "held");
        process.ask_for("release", "released");
    }
    let trace = fs::read_to_string(&trace).unwrap();
    let opens = trace.lines().filter(|line| line.contains("/locks/key\""));
    let opens: Vec<_> = opens.collect();
    // The first finds neither the file nor its directory.
    let made = |line: &&&str| line.contains("O_CREAT");
    assert_eq!(opens.iter().filter(made).count(), 2, "{trace}");
    assert!(
        opens[..3]
            .iter()
            .any(|line| line.contains("O_CREAT|O_EXCL"))
    );
    assert!(opens.len() >= 5, "{trace}");
}

/// Who takes another user's lock again and again sees that somebody waits for it.
#[test]
fn process_gives_way_to_another_users() {
    let directory = Directory::new();
    set_mode(&directory, 0o755);
    let locks = FileLocks::new(&*directory);
    let mut other = nobody(&directory);
    let (mut key, mut quicker) = (0, 0);
    eventually("this process is the quicker one", || {
        // A file that the other has never written to.
        key += 1;
        let guard = locks.key(key).lock().unwrap();
        set_mode(&locks.path(key).unwrap(), 0o666);
        other.tell(&format!("lock {key}"));
        other.tell("release");
        eventually("the other waits", || other.waits_in_kernel());
        drop(guard);
        if let Ok(guard) = locks.key(key).try_lock() {
            quicker += 1;
            let held = Instant::now();
            while held.elapsed() < Duration::from_millis(2) {
                hint::spin_loop();
            }
            let released = Instant::now();
            drop(guard);
            drop(locks.key(key).lock().unwrap());
            assert!(released.elapsed() >= Duration::from_micros(100));
        }
        other.hear_of("held");
        other.hear_of("released");
        quicker == 5
    });
}

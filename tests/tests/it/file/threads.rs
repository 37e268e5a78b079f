//! A process that can have no more threads waits nevertheless, and none of its waits panics.

use super::HOLDER;
use lockutils_tests::{Directory, Process, as_nobody, eventually, skip};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Two processes that lock files of a directory by one of the rules, of which the second has
/// one thread and can have no other; `None` if that can't be brought about.
fn two_processes(rule: &[&str], directory: &Directory) -> Option<[Process; 2]> {
    fs::set_permissions(&**directory, Permissions::from_mode(0o777)).unwrap();
    let mut arguments: Vec<_> = rule.iter().map(OsStr::new).collect();
    arguments.extend([directory.as_os_str(), OsStr::new("")]);
    let mut alone = as_nobody(HOLDER, |command| Process::start(command.args(&arguments)));
    if alone.ask("threads 1") != "done" {
        skip("this user has as many threads as he likes");
        return None;
    }
    let other = Process::start(Command::new(HOLDER).args(&arguments));
    Some([other, alone])
}

/// Has the first hold a lock that the second waits for.
fn hold(directory: &Directory, other: &mut Process, key: &str) {
    // For both of them.
    let file = directory.join(key);
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    other.ask_for(&format!("lock {key}"), "held");
}

fn has_open(process: &Process, directory: &Directory, key: &str) -> bool {
    let open = fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap();
    let mut open = open.flatten().flat_map(|file| file.path().read_link());
    open.any(|open| open == directory.join(key))
}

const RULES: [&[&str]; 2] = [&[], &["--oslo"]];

#[test]
fn wait_without_a_thread_times_out() {
    for rule in RULES {
        let directory = Directory::new();
        let Some([mut other, mut alone]) = two_processes(rule, &directory) else {
            return;
        };
        hold(&directory, &mut other, "key");
        for wait in ["timeout_async", "timeout"] {
            alone.ask_for(&format!("{wait} 50 key"), "error Timeout");
        }
        // In the process.
        alone.ask_for("async own", "held");
        alone.ask_for("timeout_async 50 own", "error Timeout");
    }
}

#[test]
fn wait_without_a_thread_ends_when_the_lock_is_released() {
    for rule in RULES {
        let directory = Directory::new();
        let Some([mut other, mut alone]) = two_processes(rule, &directory) else {
            return;
        };
        let waits = [
            "async",
            "timeout_async 60000",
            "timeout 60000",
            "shared",
            "lock",
        ];
        for (key, wait) in ('a'..).zip(waits) {
            let key = key.to_string();
            hold(&directory, &mut other, &key);
            alone.tell(&format!("{wait} {key}"));
            eventually("it tries", || has_open(&alone, &directory, &key));
            assert!(alone.is_silent());
            other.ask_for("release", "released");
            alone.hear_of("held");
        }
    }
}

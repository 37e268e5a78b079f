//! `lockutils run` is killed: the lock is held until what it has started has ended.

use crate::{code, done, lockutils, shell};
use lockutils_tests::{Directory, Process, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;

/// A command that starts another one, in a session of its own; both leave their ids.
const FAMILY: &str = "setsid sh -c 'echo $$ > $LOCKUTILS_DIR/child; exec sleep 1000' &
    until test -s $LOCKUTILS_DIR/child; do :; done
    echo $$ > $LOCKUTILS_DIR/pid; echo held; exec sleep 1000";

fn status(directory: &Path, args: &[&str]) -> i32 {
    let run = ["run", "-q", "-n"].iter().chain(args);
    code(&mut lockutils(directory, run.chain(&["--", "true"])))
}

fn kill(directory: &Path, file: &str) {
    let pid = fs::read_to_string(directory.join(file)).unwrap();
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw);
    kill_process(pid.unwrap(), Signal::KILL).unwrap();
}

#[test]
fn lock_is_held_until_all_that_the_command_has_started_has_ended() {
    let directory = Directory::new();
    let dir = directory.to_str().unwrap();
    for place in [&[][..], &["--oslo", "--dir", dir]] {
        for keys in [&["key"][..], &["a", "b"]] {
            let args = [place, keys].concat();
            let run = ["run"].iter().chain(&args);
            let command = ["--", "sh", "-c", FAMILY];
            let _ = fs::remove_file(directory.join("child"));
            let mut process = Process::start(&mut lockutils(&directory, run.chain(&command)));
            process.hear_of("held");
            process.kill();
            for key in keys {
                assert_eq!(status(&directory, &[place, &[*key]].concat()), 75);
            }
            kill(&directory, "pid");
            assert_eq!(status(&directory, &args), 75);
            kill(&directory, "child");
            eventually("all are free", || status(&directory, &args) == 0);
        }
    }
}

#[test]
fn one_that_is_shared_is_so_still() {
    let directory = Directory::new();
    let args = ["run", "-s", "key", "--", "sh", "-c", FAMILY];
    let mut process = Process::start(&mut lockutils(&directory, args));
    process.hear_of("held");
    process.kill();
    assert_eq!(status(&directory, &["key"]), 75);
    assert_eq!(status(&directory, &["-s", "key"]), 0);
    kill(&directory, "pid");
    kill(&directory, "child");
    eventually("it is free", || status(&directory, &["key"]) == 0);
}

#[test]
fn lock_is_free_at_once_if_the_command_has_not_got_it() {
    let directory = Directory::new();
    let args = ["run", "--close", "key", "--", "sh", "-c", FAMILY];
    let mut process = Process::start(&mut lockutils(&directory, args));
    process.hear_of("held");
    process.kill();
    assert_eq!(status(&directory, &["key"]), 0);
    kill(&directory, "pid");
    kill(&directory, "child");
}

/// Its number is one that scripts leave alone.
#[test]
fn command_has_the_open_files_and_the_locks() {
    let directory = Directory::new();
    fs::write(directory.join("input"), "from the file\n").unwrap();
    for (close, locks) in [("", 2), ("--close", 0)] {
        let script = format!(
            "lockutils run {close} key other -- sh -c 'cat <&3; ls -l /proc/self/fd' \
             3< \"$LOCKUTILS_DIR/input\""
        );
        let done = done(&mut shell(&directory, &script));
        assert!(done.out.starts_with("from the file\n"), "{}", done.out);
        let files = done.out.matches(directory.to_str().unwrap());
        assert_eq!(files.count(), 1 + locks, "{}", done.out);
        assert!(done.out.contains(" 3 -> "), "{}", done.out);
        for number in 4..10 {
            assert!(
                !done
                    .out
                    .contains(&format!(" {number} -> {}", directory.display()))
            );
        }
    }
}

//! `lockutils wrap`.

use crate::{code, done, lockutils};
use lockutils_tests::{Directory, Process};
use rustix::process::Signal;
use std::path::Path;

/// Says what it has, and what the files are that it locks.
const SCRIPT: &str = "echo $LOCKUTILS_DIR; echo $OSLO_LOCK_PATH; stat -c %a $LOCKUTILS_DIR;
    lockutils run key -- ls $LOCKUTILS_DIR; exit 4";

#[test]
fn command_has_a_directory_of_its_own() {
    let outer = Directory::new();
    // By a relative path as well, which no lock directory has.
    for place in [&*outer, Path::new(".")] {
        let args = ["wrap", "--", "sh", "-c", SCRIPT];
        let mut command = lockutils(&outer, args);
        let done = done(command.env("TMPDIR", place).current_dir(&*outer));
        assert_eq!((done.code, &*done.err), (Some(4), ""));
        let lines: Vec<_> = done.out.lines().collect();
        let [ours, oslo, mode, file] = lines[..] else {
            panic!("{}", done.out);
        };
        assert_eq!((ours, mode, file), (oslo, "700", "key"));
        assert!(Path::new(ours).is_absolute());
        assert!(ours.starts_with(outer.to_str().unwrap()), "{ours}");
        assert!(!Path::new(ours).exists());
    }
}

#[test]
fn two_are_in_nobodys_way() {
    let directory = Directory::new();
    let script = "lockutils run key -- lockutils wrap -- lockutils run --nonblock key -- true";
    let args = ["wrap", "--", "sh", "-c", script];
    assert_eq!(code(&mut lockutils(&directory, args)), 0);
}

#[test]
fn directory_is_removed_after_a_signal() {
    let outer = Directory::new();
    let script = "echo $LOCKUTILS_DIR; read line";
    let args = ["wrap", "--", "sh", "-c", script];
    let mut process = Process::start(lockutils(&outer, args).env("TMPDIR", &*outer));
    let directory = process.hear().unwrap();
    assert!(Path::new(&directory).is_dir());
    process.signal(Signal::TERM);
    assert_eq!(process.end().code(), Some(143));
    assert!(!Path::new(&directory).exists());
}

#[test]
fn command_that_is_not_there_is_said_so() {
    let directory = Directory::new();
    let done =
        done(lockutils(&directory, ["wrap", "--", "no-such-command"]).env("TMPDIR", &*directory));
    assert_eq!(done.code, Some(127));
    assert_eq!(std::fs::read_dir(&*directory).unwrap().count(), 0);
}

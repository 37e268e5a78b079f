//! Python's record locks, which are those of oslo.concurrency, without that package.

use crate::ps::json;
use crate::{done, holding, lockutils, prepared};
use lockutils_tests::{Directory, Process};
use std::path::Path;
use std::process::Command;

/// Holds the lock of a file until it is told a line; or says that it is busy.
const SCRIPT: &str = "
import fcntl, sys
file = open(sys.argv[1], 'a')
try:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print('busy', flush=True)
else:
    print('held', flush=True)
    sys.stdin.readline()
";

/// Python's try for the lock of a file; `None`, said so, where there is no Python.
fn python(directory: &Path, name: &str) -> Option<Process> {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: no python3 here");
        return None;
    }
    let mut command = prepared("python3", directory);
    command.args(["-c", SCRIPT]).arg(directory.join(name));
    Some(Process::start(&mut command))
}

#[test]
fn holder_in_python_keeps_out_the_command_and_is_shown() {
    let directory = Directory::new();
    let Some(mut holder) = python(&directory, "nova-a_b") else {
        return;
    };
    holder.hear_of("held");
    let dir = directory.to_str().unwrap();
    let place = ["--oslo", "--dir", dir, "--prefix", "nova"];
    for wait in [&["--nonblock"][..], &["--timeout", "30ms"]] {
        let run = ["run"].iter().chain(wait).chain(&place);
        let done = done(&mut lockutils(
            &directory,
            run.chain(&["a/b", "--", "true"]),
        ));
        assert_eq!(done.code, Some(75));
        let process = format!(" held by process {} (", holder.id());
        assert!(done.err.contains(&process), "{}", done.err);
        assert!(done.err.contains("python3"), "{}", done.err);
    }
    for (args, key) in [(&place[..], "a_b"), (&[], "nova-a_b")] {
        let [lock] = &json(&directory, args)[..] else {
            panic!("one lock is held");
        };
        assert_eq!(lock["key"], key);
        assert_eq!(lock["pid"], holder.id());
        assert!(lock["command"].as_str().unwrap().contains("python3"));
        assert!(lock["site"].is_null() && lock["since"].is_null());
    }
    holder.tell("");
    assert!(holder.end().success());
    let run = ["run", "--timeout", "1min"].iter().chain(&place);
    let args = run.chain(&["a/b", "--", "true"]);
    assert_eq!(done(&mut lockutils(&directory, args)).code, Some(0));
}

#[test]
fn command_keeps_out_python() {
    let directory = Directory::new();
    let place = ["--oslo", "--dir", directory.to_str().unwrap(), "key"];
    let mut holder = holding(&directory, &place);
    let Some(other) = python(&directory, "key") else {
        return;
    };
    other.hear_of("busy");
    // The kernel doesn't know whose an open file's lock is, and nothing is written down.
    let [lock] = &json(&directory, &[])[..] else {
        panic!("one lock is held");
    };
    assert!(lock["pid"].is_null() && lock["command"].is_null());
    holder.tell("");
    assert!(holder.end().success());
    let other = python(&directory, "key").unwrap();
    other.hear_of("held");
}

//! `lockutils ps`.

use crate::{UNTIL_TOLD, code, done, holding, lockutils};
use lockutils::FileLocks;
use lockutils_tests::{Directory, Process, eventually};
use serde_json::Value;
use std::path::Path;

/// What `--json` tells of a directory.
pub(crate) fn json(directory: &Path, args: &[&str]) -> Vec<Value> {
    let done = done(&mut lockutils(
        directory,
        ["ps", "--json"].iter().chain(args),
    ));
    assert_eq!((done.code, &*done.err), (Some(0), ""));
    match serde_json::from_str(&done.out) {
        Ok(Value::Array(values)) => values,
        other => panic!("{other:?}: {}", done.out),
    }
}

#[test]
fn directory_without_locks_is_said_so() {
    let directory = Directory::new();
    let run = ["run", "key", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, run)), 0);
    let missing = directory.join("missing");
    for place in [&*directory, &*missing] {
        let done = done(&mut lockutils(place, ["ps"]));
        assert_eq!((done.code, &*done.err), (Some(0), ""));
        let line = format!("nobody holds a lock in {:?}\n", place.join(""));
        assert_eq!(done.out, line);
        assert!(json(place, &[]).is_empty());
    }
    assert!(!missing.exists());
}

#[test]
fn table_has_holders_and_waiters() {
    let directory = Directory::new();
    let a = holding(&directory, &["a/b"]);
    let b = holding(&directory, &["b"]);
    let args = ["run", "b"].iter().chain(&UNTIL_TOLD);
    let waiter = Process::start(&mut lockutils(&directory, args));
    eventually("it waits", || waiter.waits_in_kernel());
    let done = done(&mut lockutils(&directory, ["ps"]));
    let lines: Vec<_> = done.out.lines().map(str::trim).collect();
    let [header, _, first, second] = lines[..] else {
        panic!("{}", done.out);
    };
    let header: Vec<_> = header.split("  ").map(str::trim).collect();
    let header: Vec<_> = header.into_iter().filter(|name| !name.is_empty()).collect();
    assert_eq!(
        header,
        ["KEY", "PID", "COMMAND", "TAKEN AT", "HELD FOR", "WAITERS"]
    );
    for (line, key, holder, waiters) in [(first, "a/b", &a, "0"), (second, "b", &b, "1")] {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[..2], [key, &holder.id().to_string()], "{line}");
        assert_eq!(words.last(), Some(&waiters), "{line}");
        let command = format!("lockutils run {key} -- sh -c echo held; read line");
        assert!(line.contains(&command), "{line}");
    }
}

#[test]
fn json_has_all_that_is_known() {
    let directory = Directory::new();
    let holder = holding(&directory, &["--prefix", "vm-", "a/b"]);
    let [lock] = &json(&directory, &["--prefix", "vm-"])[..] else {
        panic!("one lock is held");
    };
    assert_eq!(lock["key"], "a/b");
    assert_eq!(lock["space"], directory.join("vm-").to_str().unwrap());
    assert_eq!(lock["pid"], holder.id());
    assert_eq!(lock["host"], Value::Null);
    assert_eq!(lock["waiters"], 0);
    let text = |name: &str| lock[name].as_str().unwrap_or_default();
    assert!(
        text("command").ends_with("lockutils run --prefix vm- a/b -- sh -c echo held; read line")
    );
    assert!(text("site").starts_with("cli/src/run.rs:"));
    let since = humantime::parse_rfc3339(text("since")).unwrap();
    assert!(since.elapsed().unwrap() < lockutils_tests::LIMIT);
    // Without the prefix it is another key.
    assert_eq!(json(&directory, &[])[0]["key"], "vm-a/b");
}

#[test]
fn locks_of_rust_programs_are_shown() {
    let directory = Directory::new();
    let _guard = FileLocks::new(&*directory).key("key").lock().unwrap();
    let locks = json(&directory, &[]);
    assert_eq!(locks[0]["pid"], std::process::id());
    assert!(
        locks[0]["site"]
            .as_str()
            .unwrap()
            .starts_with("cli/tests/it/ps.rs:")
    );
}

#[test]
fn shared_holders_are_one_line() {
    let directory = Directory::new();
    let readers = [(); 2].map(|()| holding(&directory, &["--shared", "key"]));
    let locks = json(&directory, &[]);
    assert_eq!(locks.len(), 1);
    let pid = &locks[0]["pid"];
    assert!(readers.iter().any(|reader| *pid == reader.id()), "{pid}");
}

#[test]
fn holder_that_is_killed_is_gone() {
    let directory = Directory::new();
    let mut holder = holding(&directory, &["key"]);
    assert_eq!(json(&directory, &[]).len(), 1);
    holder.kill();
    assert!(json(&directory, &[]).is_empty());
}

/// Nothing that a stranger writes into a file, or names it, has a terminal do something.
#[test]
fn table_has_no_control_characters() {
    let directory = Directory::new();
    let _guard = FileLocks::new(&*directory)
        .key("a\x1b[2Jb\n")
        .lock()
        .unwrap();
    let done = done(&mut lockutils(&directory, ["ps"]));
    assert!(done.out.contains("a\\u{1b}[2Jb\\n"), "{}", done.out);
    assert!(!done.out.contains('\x1b'));
    assert_eq!(json(&directory, &[])[0]["key"], "a\x1b[2Jb\n");
}

#[test]
fn reader_that_has_seen_enough_is_no_error() {
    let directory = Directory::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    for args in [
        &["ps"][..],
        &["ps", "--json"],
        &["completions", "zsh"],
        &["man"],
    ] {
        let mut command = lockutils(&directory, args);
        command.stdout(writer.try_clone().unwrap());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(output.stderr, b"");
    }
}

#[test]
fn directory_that_cannot_be_read_is_said_so() {
    let directory = Directory::new();
    let file = directory.join("file");
    std::fs::write(&file, "").unwrap();
    let done = done(&mut lockutils(&file, ["ps"]));
    assert_eq!(done.code, Some(74));
    assert!(done.err.contains(file.to_str().unwrap()), "{}", done.err);
}

#[test]
fn watch_needs_a_terminal() {
    let directory = Directory::new();
    let done = done(&mut lockutils(&directory, ["ps", "--watch"]));
    assert_eq!((done.code, &*done.out), (Some(64), ""));
    assert!(done.err.contains("needs a terminal"), "{}", done.err);
}

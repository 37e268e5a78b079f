//! `lockutils ps`.

use crate::{UNTIL_TOLD, can_unshare, code, done, holding, lockutils, shell};
use lockutils::FileLocks;
use lockutils_tests::{Directory, Process, eventually};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::{env, thread};

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
        let line = format!("nobody holds a lock in {:?}, ", place.join(""));
        assert!(done.out.starts_with(&line), "{}", done.out);
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
    let [place, "", header, _, first, second] = lines[..] else {
        panic!("{}", done.out);
    };
    let (place, time) = place.split_once(", ").unwrap();
    assert_eq!(place, format!("locks in {:?}", directory.join("")));
    humantime::parse_rfc3339(time).unwrap();
    let header: Vec<_> = header.split("  ").map(str::trim).collect();
    let header: Vec<_> = header.into_iter().filter(|name| !name.is_empty()).collect();
    // Nobody has taken one in the code of a program.
    assert_eq!(header, ["KEY", "PID", "COMMAND", "HELD FOR", "WAITERS"]);
    let waiting = format!("1: {}", waiter.id());
    for (line, key, holder, waiters) in [(first, "a/b", &a, "0"), (second, "b", &b, &waiting)] {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[..2], [key, &holder.id().to_string()], "{line}");
        assert!(line.ends_with(waiters), "{line}");
        // What was asked for, and not who holds the lock for it.
        assert!(line.contains(" sh -c echo held; read line "), "{line}");
        assert!(!line.contains("lockutils"), "{line}");
    }
}

/// The kernel shows one wait of a process, however many of its threads wait.
#[test]
fn each_waiter_of_a_process_is_counted() {
    let directory = Directory::new();
    let mut holder = holding(&directory, &["key"]);
    let locks = FileLocks::new(&*directory);
    let own = std::process::id();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| drop(locks.key("key").lock().unwrap()));
        }
        eventually("all three are seen", || {
            let [lock] = &json(&directory, &[])[..] else {
                panic!("it is held");
            };
            lock["waiters"] == 3 && lock["waiter_pids"] == serde_json::json!([own])
        });
        let table = done(&mut lockutils(&directory, ["ps"])).out;
        assert!(table.trim_end().ends_with(&format!("3: {own}")), "{table}");
        holder.tell("");
    });
}

#[test]
fn keys_can_be_named_and_put_in_order() {
    let directory = Directory::new();
    // The first one has its lock before the second begins.
    let b = holding(&directory, &["b"]);
    let a = holding(&directory, &["a"]);
    let args = ["run", "a"].iter().chain(&UNTIL_TOLD);
    let waiter = Process::start(&mut lockutils(&directory, args));
    eventually("it waits", || waiter.waits_in_kernel());
    let keys = |args: &[&str]| {
        let locks = json(&directory, args);
        let keys = locks
            .iter()
            .map(|lock| lock["key"].as_str().unwrap().to_owned());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(keys(&[]), ["b", "a"]);
    assert_eq!(keys(&["--sort", "age"]), ["b", "a"]);
    assert_eq!(keys(&["--sort", "key"]), ["a", "b"]);
    assert_eq!(keys(&["--sort", "waiters"]), ["a", "b"]);
    let first = if a.id() < b.id() { "a" } else { "b" };
    assert_eq!(keys(&["--sort", "pid"])[0], first);
    assert_eq!(keys(&["b", "c"]), ["b"]);
    assert!(keys(&["c"]).is_empty());
    let none = done(&mut lockutils(&directory, ["ps", "c"])).out;
    assert!(none.starts_with("nobody holds lock \"c\" in "), "{none}");
    let [lock] = &json(&directory, &["a"])[..] else {
        panic!("it is held");
    };
    assert_eq!(lock["waiter_pids"], serde_json::json!([waiter.id()]));
}

/// This program once more is the other process.
#[test]
fn locks_whose_holders_wait_for_one_another_are_named() {
    const OTHER: &str = "LOCKUTILS_TESTS_OTHER";
    if let Some(directory) = env::var_os(OTHER) {
        let locks = FileLocks::new(directory);
        let _guard = locks.key("b").lock().unwrap();
        return drop(locks.key("a").lock());
    }
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let _other = locks.key("c").lock().unwrap();
    let suspected = || {
        let locks = json(&directory, &["--sort", "key"]).into_iter();
        let suspected = locks.filter(|lock| lock["suspected_deadlock"] == true);
        let keys = suspected.map(|lock| lock["key"].to_string());
        keys.collect::<Vec<_>>().join(" ")
    };
    let table = || done(&mut lockutils(&directory, ["ps", "--sort", "key"])).out;
    let held = Barrier::new(2);
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let _guard = locks.key("a").lock().unwrap();
            held.wait();
            eventually("the other is held", || locks.key("b").is_locked().unwrap());
            drop(locks.key("b").lock().unwrap());
        });
        held.wait();
        assert_eq!(suspected(), "");
        assert!(!table().contains("deadlock"));
        let name = "ps::locks_whose_holders_wait_for_one_another_are_named";
        let mut other = Command::new(env::current_exe().unwrap());
        let other = other.args(["--exact", name]).env(OTHER, &*directory);
        let mut other = Process::start(other);
        eventually("it is suspected", || suspected() == r#""a" "b""#);
        let table = table();
        let end = "\n\npart of a suspected deadlock: a, b\n";
        assert!(table.ends_with(end), "{table}");
        other.kill();
        waits.join().unwrap();
    });
    assert_eq!(suspected(), "");
}

/// A process of a container has another number here, or none.
#[test]
fn process_of_another_pid_namespace_is_said_to_be_so() {
    let directory = Directory::new();
    if !can_unshare(&["--pid", "--fork", "--mount-proc", "true"]) {
        return lockutils_tests::skip("no PID namespace can be made here");
    }
    let script =
        "exec unshare --pid --fork --mount-proc lockutils run key -- sh -c 'echo held; read line'";
    let holder = Process::start(&mut shell(&directory, script));
    holder.hear_of("held");
    let [lock] = &json(&directory, &[])[..] else {
        panic!("it is held");
    };
    assert!(lock["pid"].as_u64().unwrap() < 10, "{lock}");
    assert!(lock["pid_namespace"].as_u64().unwrap() > 0, "{lock}");
    assert_eq!(lock["command"], "sh -c echo held; read line");
    let table = done(&mut lockutils(&directory, ["ps"]));
    assert!(
        table.out.contains(" of another PID namespace "),
        "{}",
        table.out
    );
    let busy = done(&mut lockutils(
        &directory,
        ["run", "-n", "key", "--", "true"],
    ));
    assert!(
        busy.err.contains(" of another PID namespace (sh -c "),
        "{}",
        busy.err
    );
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
    assert_eq!(text("command"), "sh -c echo held; read line");
    assert_eq!(lock["site"], Value::Null);
    assert_eq!(lock["pid_namespace"], Value::Null);
    assert_eq!(lock["waiter_pids"], serde_json::json!([]));
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
    let mut holder = holding(&directory, &["--close", "key"]);
    assert_eq!(json(&directory, &[]).len(), 1);
    holder.kill();
    assert!(json(&directory, &[]).is_empty());
}

#[test]
fn holder_that_is_killed_is_not_named_for_its_command_which_has_the_lock() {
    let directory = Directory::new();
    let mut holder = holding(&directory, &["key"]);
    holder.kill();
    let [lock] = &json(&directory, &[])[..] else {
        panic!("one lock is held");
    };
    assert!(lock["pid"].is_null() && lock["site"].is_null(), "{lock}");
    // The command ends.
    holder.tell("");
    eventually("it is free", || json(&directory, &[]).is_empty());
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

//! `lockutils rm` and `lockutils sweep`.

use crate::{UNTIL_TOLD, as_nobody, code, done, holding, lockutils};
use lockutils_tests::{Directory, Process, eventually};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn rm_removes_the_file_of_a_free_lock() {
    let directory = Directory::new();
    let run = ["run", "-p", "vm-", "a/b", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, run)), 0);
    let file = directory.join("vm-a%2Fb");
    for text in ["removed", "nothing to remove at"] {
        let done = done(&mut lockutils(&directory, ["rm", "-p", "vm-", "a/b"]));
        assert_eq!((done.code, &*done.err), (Some(0), ""));
        assert_eq!(done.out, format!("{text} {file:?}\n"));
        assert!(!file.exists());
    }
}

#[test]
fn rm_keeps_the_file_of_a_held_lock() {
    let directory = Directory::new();
    let holder = holding(&directory, &["key"]);
    let done = done(&mut lockutils(&directory, ["rm", "key"]));
    assert_eq!((done.code, &*done.out), (Some(75), ""));
    let process = format!("process {}", holder.id());
    assert!(done.err.contains(&process), "{}", done.err);
    assert!(directory.join("key").exists());
}

/// Who waits meanwhile isn't left behind with the old file.
#[test]
fn locks_work_on_while_files_are_swept() {
    let directory = Directory::new();
    fs::write(directory.join("count"), "0").unwrap();
    let script = "cd $LOCKUTILS_DIR
                  increment='read n < count; echo $((n + 1)) > count'
                  for process in 1 2 3; do
                      for i in 1 2 3 4 5; do lockutils run key -- sh -c \"$increment\"; done &
                  done
                  for i in 1 2 3 4 5 6 7 8 9 10; do lockutils sweep > /dev/null; done
                  wait";
    assert_eq!(code(&mut crate::shell(&directory, script)), 0);
    assert_eq!(fs::read_to_string(directory.join("count")).unwrap(), "15\n");
}

#[test]
fn sweep_says_what_it_has_removed_and_what_is_in_use() {
    let directory = Directory::new();
    for key in ["b", "a/b", "held"] {
        let run = ["run", key, "--", "true"];
        assert_eq!(code(&mut lockutils(&directory, run)), 0);
    }
    fs::write(directory.join("other"), "no lock").unwrap();
    let mut holder = holding(&directory, &["held"]);
    let swept = done(&mut lockutils(&directory, ["sweep"]));
    assert_eq!((swept.code, &*swept.err), (Some(0), ""));
    let lines: Vec<_> = swept.out.lines().collect();
    let kept = format!("kept \"held\", held by process {} (", holder.id());
    assert_eq!(lines[..2], ["removed \"a/b\"", "removed \"b\""]);
    assert!(lines[2].starts_with(&kept), "{}", swept.out);
    assert_eq!(lines.len(), 3);
    holder.tell("");
    holder.end();
    let swept = done(&mut lockutils(&directory, ["sweep"]));
    assert_eq!(swept.out, "removed \"held\"\n");
    let swept = done(&mut lockutils(&directory, ["sweep"]));
    assert!(swept.out.starts_with("nothing to remove in "));
    assert!(directory.join("other").exists());
}

/// A directory with the lock files `a`, `b` and `c`, of which others may only read the
/// second.
fn of_two_users() -> Directory {
    let directory = Directory::new();
    fs::set_permissions(&*directory, Permissions::from_mode(0o777)).unwrap();
    for key in ["a", "b", "c"] {
        assert_eq!(
            as_nobody(&directory, ["run", key, "--", "true"]).code,
            Some(0)
        );
    }
    fs::set_permissions(directory.join("b"), Permissions::from_mode(0o444)).unwrap();
    directory
}

#[test]
fn sweep_goes_on_past_what_it_may_not_remove() {
    let directory = of_two_users();
    let swept = as_nobody(&directory, ["sweep"]);
    assert_eq!(swept.code, Some(74));
    assert_eq!(swept.out, "removed \"a\"\nremoved \"c\"\n");
    let file = directory.join("b");
    let error = format!("lockutils: can't open lock file {file:?}; give this user write access");
    assert!(swept.err.starts_with(&error), "{}", swept.err);
    assert_eq!(swept.err.lines().count(), 1);
    let swept = as_nobody(&directory, ["sweep"]);
    assert_eq!((swept.code, &*swept.out), (Some(74), ""));
}

#[test]
fn ps_goes_on_past_what_it_may_not_read() {
    let directory = of_two_users();
    fs::set_permissions(directory.join("b"), Permissions::from_mode(0o000)).unwrap();
    let _holder = holding(&directory, &["c"]);
    for args in [&["ps"][..], &["ps", "--json"]] {
        let shown = as_nobody(&directory, args);
        assert_eq!(shown.code, Some(74));
        assert!(
            shown.out.contains("sh -c echo held; read line"),
            "{}",
            shown.out
        );
        let file = directory.join("b");
        let error = format!("lockutils: can't look at lock file {file:?}; give this user");
        assert!(shown.err.starts_with(&error), "{}", shown.err);
    }
}

#[test]
fn waiter_gets_the_lock_of_a_file_that_is_removed() {
    let directory = Directory::new();
    let mut holder = holding(&directory, &["key"]);
    let args = ["run", "key"].iter().chain(&UNTIL_TOLD);
    let mut waiter = Process::start(&mut lockutils(&directory, args));
    eventually("it waits", || waiter.waits_in_kernel());
    // By force, as nobody should.
    fs::remove_file(directory.join("key")).unwrap();
    holder.tell("");
    holder.end();
    waiter.hear_of("held");
    let other = ["run", "-q", "-n", "key", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, other)), 75);
    waiter.tell("");
    assert!(waiter.end().success());
}

#[test]
fn files_of_oslo_are_never_removed() {
    let directory = Directory::new();
    let place = ["--oslo", "--dir", directory.to_str().unwrap()];
    let run = ["run"].iter().chain(&place).chain(&["key", "--", "true"]);
    assert_eq!(code(&mut lockutils(&directory, run)), 0);
    for command in [&["rm", "key"][..], &["sweep"]] {
        let args = command.iter().chain(&place);
        let done = done(&mut lockutils(&directory, args));
        assert_eq!(done.code, Some(74));
        assert!(done.err.contains("oslo.concurrency"), "{}", done.err);
        assert!(directory.join("key").exists());
    }
}

#[test]
fn several_are_removed_at_once() {
    let directory = Directory::new();
    for key in ["a", "b"] {
        assert_eq!(
            code(&mut lockutils(&directory, ["run", key, "--", "true"])),
            0
        );
    }
    let _holder = holding(&directory, &["held"]);
    let removed = done(&mut lockutils(&directory, ["rm", "a", "held", "b", "c"]));
    assert_eq!(removed.code, Some(75));
    assert!(removed.err.contains("held by process"), "{}", removed.err);
    let lines: Vec<_> = removed
        .out
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(lines, ["removed", "removed", "nothing"]);
    assert!(!directory.join("a").exists() && !directory.join("b").exists());
}

//! `lockutils run` for a lock that one of those holds that have started it.

use crate::{UNTIL_TOLD, code, done, holding, lockutils, prepared, shell};
use lockutils::FileLocks;
use lockutils_tests::{Directory, Process, eventually};
use std::fs;
use std::path::Path;

/// Runs a script, and expects it to be told at once that it waits for itself.
#[track_caller]
fn is_told(directory: &Path, script: &str) {
    let done = done(&mut shell(directory, script));
    assert_eq!(
        (done.code, &*done.out),
        (Some(70), ""),
        "{script}: {}",
        done.err
    );
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    assert!(done.err.contains(" is held by process "), "{}", done.err);
    assert!(done.err.contains(" (lockutils run "), "{}", done.err);
}

#[test]
fn who_waits_for_an_ancestor_is_told_at_once() {
    let directory = Directory::new();
    let run = "lockutils run";
    for script in [
        format!("{run} key -- {run} key -- echo inside"),
        format!("{run} key -- {run} -q key -- echo inside"),
        format!("{run} key -- {run} --timeout 1h key -- echo inside"),
        format!("{run} key -- {run} other -- {run} key -- echo inside"),
        format!("{run} a b -- {run} c b -- echo inside"),
        format!("{run} key -- sh -c '{run} key -- echo inside; exit $?'"),
        format!(
            "{run} key -- env -i PATH=\"$PATH\" LOCKUTILS_DIR=$LOCKUTILS_DIR {run} key -- true"
        ),
        format!("{run} --close key -- {run} key -- echo inside"),
        format!("{run} key -- bash -c 'exec 10>&-; {run} key -- echo inside'"),
        format!("{run} key -- {run} --shared key -- echo inside"),
        format!("{run} --shared key -- {run} key -- echo inside"),
        format!(
            "{run} --oslo --dir $LOCKUTILS_DIR key -- {run} --oslo --dir $LOCKUTILS_DIR key -- true"
        ),
        format!("{run} key -- {run} --oslo --dir $LOCKUTILS_DIR key -- true"),
        format!(
            "mkdir -p $LOCKUTILS_DIR && ln -s . $LOCKUTILS_DIR/here && \
                 {run} key -- {run} --dir $LOCKUTILS_DIR/here key -- true"
        ),
    ] {
        is_told(&directory, &script);
    }
}

#[test]
fn who_does_not_wait_for_an_ancestor_is_not_kept() {
    let directory = Directory::new();
    let run = "lockutils run";
    for script in [
        format!("{run} key -- {run} other -- true"),
        format!("{run} --shared key -- {run} --shared key -- true"),
        format!("{run} key -- true; {run} key -- true"),
        format!("{run} key -- {run} --prefix of-another- key -- true"),
    ] {
        assert_eq!(code(&mut shell(&directory, &script)), 0, "{script}");
    }
    let busy = format!("{run} key -- {run} -q -n key -- true");
    assert_eq!(code(&mut shell(&directory, &busy)), 75);
}

/// What a command leaves running has lost it as an ancestor, and gets the lock after it.
#[test]
fn who_has_no_ancestor_left_waits() {
    let directory = Directory::new();
    let script = "(lockutils run key -- touch $LOCKUTILS_DIR/done > $LOCKUTILS_DIR/log 2>&1 &)
        echo held; read line";
    let args = ["run", "key", "--", "sh", "-c", script];
    let mut process = Process::start(&mut lockutils(&directory, args));
    process.hear_of("held");
    process.tell("");
    assert!(process.end().success());
    eventually("it has had the lock", || directory.join("done").exists());
    assert_eq!(fs::read_to_string(directory.join("log")).unwrap(), "");
}

#[test]
fn waiter_for_a_stranger_is_told_that_it_would_wait_for_an_ancestor_next() {
    let directory = Directory::new();
    let _stranger = holding(&directory, &["a"]);
    is_told(&directory, "lockutils run b -- lockutils run a b -- true");
}

/// It is the command that keeps it.
#[test]
fn command_of_one_that_was_killed_is_an_ancestor_too() {
    let directory = Directory::new();
    let script = "echo held; read line; lockutils run -q key -- true; echo $?; read line";
    let args = ["run", "key", "--", "sh", "-c", script];
    let mut process = Process::start(&mut lockutils(&directory, args));
    process.hear_of("held");
    process.kill();
    process.tell("");
    process.hear_of("70");
    process.tell("");
}

#[test]
fn program_that_has_the_lock_is_an_ancestor_too() {
    let directory = Directory::new();
    let _guard = FileLocks::new(&*directory).key("key").lock().unwrap();
    let args = ["run", "key"].iter().chain(&UNTIL_TOLD);
    let done = done(&mut lockutils(&directory, args));
    assert_eq!((done.code, &*done.out), (Some(70), ""), "{}", done.err);
    let process = format!(" is held by process {} (", std::process::id());
    assert!(done.err.contains(&process), "{}", done.err);
}

#[test]
fn lock_of_another_kind_on_the_file_is_none() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["key"]);
    let script = "exec 9< $LOCKUTILS_DIR/key; flock 9; lockutils run -q -w 0.01 key -- true";
    let mut flock = prepared("sh", &directory);
    assert_eq!(code(flock.args(["-c", script])), 75);
}

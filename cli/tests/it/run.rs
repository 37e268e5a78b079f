//! `lockutils run`.

use crate::{UNTIL_TOLD, code, done, holding, lockutils, shell};
use lockutils::FileLocks;
use lockutils_tests::{Directory, Process, eventually};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

#[test]
fn command_runs_under_the_lock() {
    let directory = Directory::new();
    let script = "lockutils run key -- lockutils run --quiet --nonblock key -- true";
    assert_eq!(code(&mut shell(&directory, script)), 75);
    let script = "lockutils run key -- lockutils run --quiet --nonblock other -- true";
    assert_eq!(code(&mut shell(&directory, script)), 0);
}

#[test]
fn lock_is_released_when_the_command_ends() {
    let directory = Directory::new();
    for command in ["true", "false", "kill -9 $$", "/nowhere/to/be/found"] {
        let _ = done(&mut lockutils(
            &directory,
            ["run", "key", "--", "sh", "-c", command],
        ));
        let again = ["run", "--nonblock", "key", "--", "true"];
        assert_eq!(code(&mut lockutils(&directory, again)), 0);
    }
}

#[test]
fn lock_is_that_of_rust_programs() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory).prefix("vm-");
    let guard = locks.key("a/b").lock().unwrap();
    let args = ["run", "-q", "-n", "--prefix", "vm-", "a/b", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, args)), 75);
    drop(guard);
    assert_eq!(code(&mut lockutils(&directory, args)), 0);
    let mut other = holding(&directory, &["--prefix", "vm-", "a/b"]);
    let error = locks.key("a/b").try_lock().unwrap_err();
    assert_eq!(error.holder().unwrap().pid(), Some(other.id()));
    other.tell("");
    other.end();
    drop(locks.key("a/b").try_lock().unwrap());
}

#[test]
fn exit_status_is_passed_on() {
    let directory = Directory::new();
    for status in [0, 1, 75, 255] {
        let exit = format!("exit {status}");
        let args = ["run", "key", "--", "sh", "-c", &exit];
        assert_eq!(code(&mut lockutils(&directory, args)), status);
    }
    for (signal, status) in [("TERM", 128 + 15), ("KILL", 128 + 9), ("INT", 128 + 2)] {
        let kill = format!("kill -{signal} $$");
        let args = ["run", "key", "--", "sh", "-c", &kill];
        assert_eq!(code(&mut lockutils(&directory, args)), status);
    }
}

#[test]
fn command_that_is_not_there_is_said_so() {
    let directory = Directory::new();
    let missing = done(&mut lockutils(
        &directory,
        ["run", "key", "--", "no-such-command"],
    ));
    assert_eq!(missing.code, Some(127));
    let text = "lockutils: can't run \"no-such-command\": No such file or directory";
    assert!(missing.err.starts_with(text), "{}", missing.err);
    let file = directory.join("file");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let done = done(&mut lockutils(&directory, ["run", "key", "--", file]));
    assert_eq!(done.code, Some(126));
}

#[test]
fn arguments_that_are_wrong_are_said_so() {
    let directory = Directory::new();
    let wrong: [&[&str]; 9] = [
        &[],
        &["run"],
        &["run", "key"],
        &["run", "--", "true"],
        &["run", "--timeout", "soon", "key", "--", "true"],
        &["run", "--timeout", "-1", "key", "--", "true"],
        &["run", "--timeout=1s", "--nonblock", "key", "--", "true"],
        &["run", "--oslo", "key", "--", "true"],
        &["run", "", "--", "true"],
    ];
    for args in wrong {
        let done = done(&mut lockutils(&directory, args));
        assert_eq!(done.code, Some(64), "{args:?}");
        assert!(done.out.is_empty() && !done.err.is_empty(), "{args:?}");
    }
    assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
}

#[test]
fn directory_that_cannot_be_used_is_said_so() {
    let directory = Directory::new();
    let file = directory.join("file");
    fs::write(&file, "").unwrap();
    for wait in [&[][..], &["--nonblock"], &["--timeout", "1s"]] {
        let args = ["run"].iter().chain(wait).chain(&["key", "--", "true"]);
        let done = done(&mut lockutils(&file, args));
        assert_eq!(done.code, Some(74));
        assert!(done.err.contains(file.to_str().unwrap()), "{}", done.err);
        assert!(done.err.contains("remove that"), "{}", done.err);
    }
}

/// Whoever is able to plant a directory could keep others out of a lock, or let them in.
#[test]
fn directory_that_somebody_has_planted_is_refused() {
    let (runtime, elsewhere) = (Directory::new(), Directory::new());
    symlink(&*elsewhere, runtime.join("lockutils")).unwrap();
    for args in [
        &["run", "key", "--", "true"][..],
        &["ps"],
        &["rm", "key"],
        &["sweep"],
    ] {
        let mut command = lockutils(&runtime, args);
        command
            .env("XDG_RUNTIME_DIR", &*runtime)
            .env_remove("LOCKUTILS_DIR");
        let done = done(&mut command);
        assert_eq!((done.code, &*done.out), (Some(74), ""), "{args:?}");
        assert!(done.err.contains("symbolic link"), "{}", done.err);
        assert!(done.err.contains("`LOCKUTILS_DIR`"), "{}", done.err);
    }
    assert_eq!(fs::read_dir(&*elsewhere).unwrap().count(), 0);
}

#[test]
fn nobody_who_listens_changes_no_status() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["key"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = lockutils(&directory, ["run", "-n", "key", "--", "true"]);
    assert_eq!(command.stderr(writer).status().unwrap().code(), Some(75));
}

#[test]
fn key_that_is_no_text_has_a_lock_too() {
    let directory = Directory::new();
    let key = OsStr::from_bytes(b"caf\xE9");
    let run = [OsStr::new("run"), key, OsStr::new("--"), OsStr::new("true")];
    assert_eq!(code(&mut lockutils(&directory, run)), 0);
    let removed = done(&mut lockutils(&directory, [OsStr::new("rm"), key]));
    assert!(removed.out.starts_with("removed "), "{}", removed.out);
}

#[test]
fn one_waits_until_the_other_releases() {
    let directory = Directory::new();
    let mut first = holding(&directory, &["key"]);
    for wait in [&[][..], &["--timeout", "2min"]] {
        let args = ["run"].iter().chain(wait).chain(&["key"]);
        let second = Process::start(&mut lockutils(&directory, args.chain(&UNTIL_TOLD)));
        eventually("it waits", || second.waits_in_kernel());
        assert!(second.is_silent());
        first.tell("");
        assert!(first.end().success());
        second.hear_of("held");
        first = second;
    }
}

#[test]
fn wait_ends_with_the_time() {
    let directory = Directory::new();
    let holder = holding(&directory, &["key"]);
    for (time, told) in [
        ("20ms", "20ms"),
        ("0.02", "20ms"),
        ("0", "0s"),
        ("0s", "0s"),
    ] {
        let args = ["run", "--timeout", time, "key", "--", "echo", "inside"];
        let done = done(&mut lockutils(&directory, args));
        assert_eq!((done.code, &*done.out), (Some(75), ""));
        let process = format!(": held by process {} (", holder.id());
        let text = format!("lockutils: timed out after {told} waiting for lock ");
        assert!(done.err.starts_with(&text), "{}", done.err);
        assert!(done.err.contains(&process), "{}", done.err);
        assert_eq!(done.err.lines().count(), 1);
    }
}

#[test]
fn long_command_of_the_holder_is_cut() {
    let directory = Directory::new();
    let args = ["run", "key"].iter().chain(&UNTIL_TOLD);
    let long = "é".repeat(1000);
    let holder = Process::start(lockutils(&directory, args).arg(&long));
    holder.hear_of("held");
    let done = done(&mut lockutils(
        &directory,
        ["run", "-n", "key", "--", "true"],
    ));
    assert!(done.err.contains("…) for "), "{}", done.err);
    assert!(done.err.chars().count() < 300, "{}", done.err);
}

#[test]
fn nonblock_does_not_wait() {
    let directory = Directory::new();
    let holder = holding(&directory, &["key"]);
    let args = ["run", "-n", "key", "--", "echo", "inside"];
    let done = done(&mut lockutils(&directory, args));
    assert_eq!((done.code, &*done.out), (Some(75), ""));
    let process = format!(" is busy: held by process {} (", holder.id());
    // What was asked for, and not who holds the lock for it.
    let command = "(sh -c echo held; read line)";
    assert!(done.err.contains(command), "{}", done.err);
    assert!(!done.err.contains("run.rs"), "{}", done.err);
    assert!(done.err.contains(&process), "{}", done.err);
}

#[test]
fn status_of_a_conflict_can_be_chosen() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["key"]);
    for wait in ["-n", "-w0.01"] {
        let args = ["run", "-q", wait, "-E", "0", "key", "--", "false"];
        assert_eq!(code(&mut lockutils(&directory, args)), 0);
    }
}

#[test]
fn shared_holders_are_together_and_keep_out_the_others() {
    let directory = Directory::new();
    let mut readers = [(); 3].map(|()| holding(&directory, &["--shared", "key"]));
    let exclusive = ["run", "-q", "-n", "key", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, exclusive)), 75);
    for reader in &mut readers {
        assert_eq!(code(&mut lockutils(&directory, exclusive)), 75);
        reader.tell("");
        assert!(reader.end().success());
    }
    assert_eq!(code(&mut lockutils(&directory, exclusive)), 0);
    let _writer = holding(&directory, &["key"]);
    let shared = ["run", "-q", "-n", "-s", "key", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, shared)), 75);
}

#[test]
fn several_locks_are_held_together_or_not_at_all() {
    let directory = Directory::new();
    let holder = holding(&directory, &["b"]);
    let both = ["run", "-q", "-n", "c", "b", "a", "c", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, both)), 75);
    for key in ["a", "c"] {
        let one = ["run", "-n", key, "--", "true"];
        assert_eq!(code(&mut lockutils(&directory, one)), 0);
    }
    drop(holder);
    let inside = "for key in a b c d; do lockutils run -q -n $key -- true; echo $?; done";
    let args = ["run", "c", "b", "a", "c", "--", "sh", "-c", inside];
    let done = done(&mut lockutils(&directory, args));
    assert_eq!(done.out, "75\n75\n75\n0\n");
}

/// Each taking them in the order in which it names them, they would soon wait for each other.
#[test]
fn order_in_which_several_locks_are_named_does_not_matter() {
    let directory = Directory::new();
    let script = "again() { for i in 1 2 3 4 5 6 7 8 9 10; do
                      lockutils run --timeout 2min $1 $2 -- true || exit; done; }
                  again a b & first=$!; again b a & wait $first && wait $!";
    assert_eq!(code(&mut shell(&directory, script)), 0);
}

#[test]
fn nothing_is_lost_between_shells() {
    let directory = Directory::new();
    fs::write(directory.join("count"), "0").unwrap();
    let script = "cd $LOCKUTILS_DIR
                  increment='read n < count; echo $((n + 1)) > count'
                  for process in 1 2 3 4; do
                      for i in 1 2 3 4 5; do lockutils run key -- sh -c \"$increment\"; done &
                  done
                  wait";
    assert_eq!(code(&mut shell(&directory, script)), 0);
    assert_eq!(fs::read_to_string(directory.join("count")).unwrap(), "20\n");
}

#[test]
fn what_the_command_leaves_running_does_not_keep_the_lock() {
    let directory = Directory::new();
    let script = "sleep 1000 > /dev/null 2>&1 & echo $!";
    let left = done(&mut lockutils(
        &directory,
        ["run", "key", "--", "sh", "-c", script],
    ));
    let again = ["run", "-n", "key", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, again)), 0);
    let kill = format!("kill {}", left.out);
    assert_eq!(
        code(&mut shell(&directory, &kill)),
        0,
        "it has run until now"
    );
}

#[test]
fn command_of_one_that_is_killed_goes_on_and_has_the_lock() {
    let directory = Directory::new();
    let script = "echo held; read line; echo went on; read line";
    let args = ["run", "key", "--", "sh", "-c", script];
    let mut first = Process::start(&mut lockutils(&directory, args));
    first.hear_of("held");
    let mut second = Process::start(&mut lockutils(
        &directory,
        ["run", "key"].iter().chain(&UNTIL_TOLD),
    ));
    eventually("it waits", || second.waits_in_kernel());
    first.kill();
    first.tell("");
    first.hear_of("went on");
    assert!(second.is_silent() && second.waits_in_kernel());
    first.tell("");
    second.hear_of("held");
    second.tell("");
    assert!(second.end().success());
}

#[test]
fn directory_is_the_one_that_is_named() {
    let (directory, other) = (Directory::new(), Directory::new());
    let in_other = other.join("made/for/it");
    let dir = in_other.to_str().unwrap();
    let args = ["run", "--dir", dir, "-p", "vm-", "a/b", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, args)), 0);
    assert!(in_other.join("vm-a%2Fb").exists());
    assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
}

#[test]
fn directory_is_else_that_of_the_environment() {
    let directory = Directory::new();
    let args = ["run", "a/b", "--", "true"];
    let mut with_oslo = lockutils(&directory, args);
    with_oslo
        .env("OSLO_LOCK_PATH", directory.join("oslo"))
        .env_remove("LOCKUTILS_DIR");
    assert_eq!(code(&mut with_oslo), 0);
    assert_eq!(fs::read(directory.join("oslo/a_b")).unwrap(), b"");
    let mut with_none = lockutils(&directory, args);
    with_none
        .env("XDG_RUNTIME_DIR", &*directory)
        .env_remove("LOCKUTILS_DIR");
    assert_eq!(code(&mut with_none), 0);
    assert!(directory.join("lockutils/a%2Fb").exists());
}

/// A person who types one knows where he is; what a variable says is for many processes.
#[test]
fn relative_directory_is_for_who_types_it() {
    let directory = Directory::new();
    let run = ["run", "key", "--", "true"];
    for (variable, args, status) in [
        ("LOCKUTILS_DIR", &run[..], 74),
        ("LOCKUTILS_DIR", &["ps"], 74),
        ("LOCKUTILS_DIR", &["sweep"], 74),
        ("LOCKUTILS_DIR", &["rm", "key"], 74),
        ("OSLO_LOCK_PATH", &run, 74),
        ("OSLO_LOCK_PATH", &["ps", "--oslo"], 64),
    ] {
        let mut command = lockutils(&directory, args);
        let command = command.env_remove("LOCKUTILS_DIR").env(variable, "locks");
        let done = done(command.current_dir(&*directory));
        assert_eq!((done.code, &*done.out), (Some(status), ""), "{args:?}");
        assert!(done.err.contains(variable), "{}", done.err);
        assert!(done.err.contains("relative"), "{}", done.err);
    }
    assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
    let args = ["run", "--dir", "locks", "key", "--", "true"];
    let mut typed = lockutils(&directory, args);
    assert_eq!(code(typed.current_dir(&*directory)), 0);
    assert!(directory.join("locks/key").exists());
}

#[test]
fn names_of_oslo_are_as_python_makes_them() {
    let directory = Directory::new();
    let dir = directory.to_str().unwrap();
    for (place, name) in [
        (
            &["--oslo", "--dir", dir, "--prefix", "nova"][..],
            "nova-a_b",
        ),
        (&["--oslo", "--dir", dir], "a_b"),
    ] {
        let run = ["run"].iter().chain(place);
        let args = run.chain(&["a/b", "--", "true"]);
        assert_eq!(code(&mut lockutils(&directory, args)), 0);
        assert_eq!(fs::read(directory.join(name)).unwrap(), b"");
    }
}

/// As two keys are where the file system has no upper and lower case.
#[test]
fn keys_that_are_one_file_are_taken_once() {
    let directory = Directory::new();
    fs::write(directory.join("A"), "").unwrap();
    fs::hard_link(directory.join("A"), directory.join("a")).unwrap();
    let run = ["run", "-q", "--timeout", "60s", "A", "a", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, run)), 0);
    let script = "lockutils run A a -- lockutils run -q -n a -- true";
    assert_eq!(code(&mut shell(&directory, script)), 75);
}

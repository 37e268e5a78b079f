//! What `lockutils run` was started with is what its command is started with.

use crate::{code, done, lockutils, shell};
use lockutils_tests::Directory;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Tells of itself.
const SELF: &str =
    "grep -E \"^Sig(Blk|Ign)|^Umask|^NoNewPrivs\" /proc/self/status; nice; ulimit -a";

/// What a shell script says, with the calling thread's blocked signals.
fn said(directory: &Path, script: &str) -> String {
    let done = done(&mut shell(directory, script));
    assert_eq!((done.code, &*done.err), (Some(0), ""), "{script}");
    let clean = |line: &str| match line.strip_prefix("SigIgn:\t") {
        // The C library has those of its own ignored in whatever it starts.
        Some(set) => {
            let set = u64::from_str_radix(set, 16).expect("a set");
            format!("SigIgn: {:x}\n", set & !(0b11 << 31))
        }
        None => format!("{line}\n"),
    };
    done.out.lines().map(clean).collect()
}

/// Whoever blocks SIGCHLD, or ignores it, would have us wait for a command that has ended.
#[test]
fn command_has_the_signals_and_limits_that_it_would_have_without() {
    let directory = Directory::new();
    for blocked in [
        SigSet::empty(),
        SigSet::from(Signal::SIGCHLD),
        SigSet::from(Signal::SIGTERM),
        SigSet::all(),
    ] {
        for ignored in [
            "",
            "CHLD",
            "PIPE",
            "HUP",
            "CHLD PIPE HUP INT TERM USR1 ALRM",
        ] {
            let ignore = match ignored {
                "" => String::new(),
                ignored => format!("trap '' {ignored};"),
            };
            let before = format!("{ignore} umask 037; ulimit -n 200; ulimit -c 0;");
            let run = "exec nice -n 3 lockutils run key -- sh -c";
            let before_block = blocked.thread_swap_mask(SigmaskHow::SIG_SETMASK).unwrap();
            let without = said(
                &directory,
                &format!("{before} exec nice -n 3 sh -c '{SELF}'"),
            );
            let within = said(&directory, &format!("{before} {run} '{SELF}'"));
            before_block.thread_set_mask().unwrap();
            assert_eq!(within, without, "{ignored}");
        }
    }
}

#[test]
fn exit_status_is_passed_on_whatever_the_parent_does_with_sigchld() {
    let directory = Directory::new();
    for ignored in ["CHLD", "PIPE", "CHLD PIPE"] {
        let ignore = format!("trap '' {ignored}; exec lockutils run key --");
        for (command, status) in [("sh -c 'exit 5'", 5), ("sh -c 'kill -9 $$'", 137)] {
            assert_eq!(
                code(&mut shell(&directory, &format!("{ignore} {command}"))),
                status
            );
        }
        let missing = done(&mut shell(&directory, &format!("{ignore} no-such-command")));
        assert_eq!(missing.code, Some(127));
        let text = "lockutils: can't run \"no-such-command\": No such file or directory";
        assert!(missing.err.starts_with(text), "{}", missing.err);
    }
}

/// As `execvp`, and so `env` and `flock`, have it.
#[test]
fn script_without_an_interpreter_is_run_by_the_shell() {
    let directory = Directory::new();
    let script = directory.join("script");
    fs::write(&script, "echo \"$0 has $# arguments: $*\"; exit 3\n").unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let path = script.to_str().unwrap();
    for (program, before) in [
        (path, ""),
        ("script", "PATH=$LOCKUTILS_DIR:$PATH;"),
        (path, "trap '' PIPE;"),
        (path, "trap '' CHLD;"),
    ] {
        let run = format!("{before} exec lockutils run key -- {program} one 'two  words'");
        let done = done(&mut shell(&directory, &run));
        let said = format!("{path} has 2 arguments: one two  words\n");
        assert_eq!((done.code, done.out, &*done.err), (Some(3), said, ""));
    }
    // It is no program for all that.
    fs::set_permissions(&script, Permissions::from_mode(0o644)).unwrap();
    let done = done(&mut lockutils(&directory, ["run", "key", "--", path]));
    assert_eq!(done.code, Some(126));
}

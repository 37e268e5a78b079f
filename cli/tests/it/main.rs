//! The command as people use it: by its arguments, from a shell, at a terminal.

#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod ancestor;
mod elsewhere;
mod follow;
mod generated;
mod group;
mod inherited;
mod killed;
mod member;
mod ps;
mod pty;
mod python;
mod record;
mod removal;
mod run;
mod serve;
mod server;
mod service;
mod signal;
mod terminal;
mod top;
mod watch;
mod why;
mod wrap;

use lockutils_tests::{Process, eventually, thread_states};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const LOCKUTILS: &str = env!("CARGO_BIN_EXE_lockutils");

/// Holds a lock until it is told a line.
const UNTIL_TOLD: [&str; 4] = ["--", "sh", "-c", "echo held; read line"];

/// Has `lockutils` in the path, and a directory for its locks; and no signal ignored, as those are
/// that run under `nohup` or in the background of a script.
fn prepared(program: &str, directory: &Path) -> Command {
    let bin = Path::new(LOCKUTILS).parent().expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("env");
    command
        .args(["--default-signal", program])
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("LOCKUTILS_DIR", directory)
        .env_remove("OSLO_LOCK_PATH")
        .env_remove("LOCKUTILS_ON");
    command
}

/// The command itself, with some arguments.
fn lockutils<S: AsRef<OsStr>>(directory: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = prepared(LOCKUTILS, directory);
    command.args(args);
    command
}

/// What it says to another user, see [`lockutils_tests::as_nobody`].
fn as_nobody<S: AsRef<OsStr>>(directory: &Path, args: impl IntoIterator<Item = S>) -> Done {
    lockutils_tests::as_nobody(LOCKUTILS, |command| {
        done(command.env("LOCKUTILS_DIR", directory).args(args))
    })
}

/// A script for the shell.
fn shell(directory: &Path, script: &str) -> Command {
    let mut command = prepared("sh", directory);
    command.args(["-c", script]);
    command
}

/// Whether a program can be run in namespaces of its own, which a container may not allow.
fn can_unshare(args: &[&str]) -> bool {
    let done = Command::new("unshare").args(args).output();
    done.is_ok_and(|done| done.status.success())
}

/// A process that holds locks, until it is told a line.
fn holding(directory: &Path, args: &[&str]) -> Process {
    let run = ["run"].iter().chain(args).chain(&UNTIL_TOLD);
    let process = Process::start(&mut lockutils(directory, run));
    process.hear_of("held");
    process
}

/// Waits until the shell that has left its id in the directory does: a signal that comes
/// before it has begun to read would only be noticed when it has read.
fn until_it_reads(directory: &Path) {
    until_its_state_is(b'S', directory);
}

/// Waits until the shell that has left its id in the directory is in a state, by its letter in `ps`.
fn until_its_state_is(state: u8, directory: &Path) {
    let pid = fs::read_to_string(directory.join("pid")).expect("it has left its id");
    let pid = pid.trim().parse().expect("an id");
    eventually("it is in that state", || thread_states(pid) == [state]);
}

/// What a command says and gives, when it has ended.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs a command to its end.
fn done(command: &mut Command) -> Done {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it can be started");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Done {
        code: status.code(),
        out: text(stdout),
        err: text(stderr),
    }
}

/// The exit status of a command, which says nothing else.
#[track_caller]
fn code(command: &mut Command) -> i32 {
    let done = done(command);
    assert_eq!((&*done.out, &*done.err), ("", ""));
    done.code.expect("no signal has ended it")
}

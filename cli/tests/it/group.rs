//! Signals that are sent to more than `lockutils run` come to its command once.

use crate::signal::LISTENER;
use crate::{lockutils, prepared, until_it_reads};
use lockutils_tests::{Directory, Process, eventually};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Starts the listener, in a group of its own.
fn listening(directory: &Path, command: &mut Command) -> Process {
    let process = Process::start(command.process_group(0));
    process.hear_of("ready");
    until_it_reads(directory);
    process
}

fn run(directory: &Path) -> Process {
    let args = ["run", "key", "--", "sh", "-c", LISTENER];
    listening(directory, &mut lockutils(directory, args))
}

fn pid(process: &Process) -> Pid {
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    pid.expect("an id")
}

/// All that it says until it has ended. What is passed on is so in the order in which it
/// came, and so nothing comes after SIGUSR2.
#[track_caller]
fn says(mut process: Process, directory: &Path, to: Pid, expected: &[&str]) {
    process.hear_of("TERM");
    until_it_reads(directory);
    kill_process(to, Signal::USR2).unwrap();
    let mut said = vec!["TERM".to_owned()];
    while said.last().is_none_or(|last| last != "USR2") {
        said.push(process.hear().expect("it goes on"));
    }
    process.tell("");
    said.extend(std::iter::from_fn(|| process.hear()));
    // The shell's order is that of the numbers where several have come.
    said.sort();
    assert_eq!(said, expected);
}

#[test]
fn signal_to_us_alone_is_passed_on() {
    let directory = Directory::new();
    let process = run(&directory);
    let pid = pid(&process);
    kill_process(pid, Signal::TERM).unwrap();
    says(process, &directory, pid, &["TERM", "USR2"]);
}

#[test]
fn signal_to_the_group_comes_once() {
    let directory = Directory::new();
    let process = run(&directory);
    let pid = pid(&process);
    kill_process_group(pid, Signal::TERM).unwrap();
    says(process, &directory, pid, &["TERM", "USR2"]);
}

#[test]
fn signal_to_the_group_and_then_to_us_comes_twice() {
    let directory = Directory::new();
    let process = run(&directory);
    let pid = pid(&process);
    kill_process_group(pid, Signal::TERM).unwrap();
    process.hear_of("TERM");
    // Which comes after the first has been dealt with.
    kill_process(pid, Signal::USR1).unwrap();
    process.hear_of("USR1");
    until_it_reads(&directory);
    kill_process(pid, Signal::TERM).unwrap();
    says(process, &directory, pid, &["TERM", "USR2"]);
}

/// As systemd ends a service: it sends to each process of it.
#[test]
fn signal_to_each_of_our_processes_comes_once() {
    let directory = Directory::new();
    let process = run(&directory);
    let pid = pid(&process);
    let ours = format!("/proc/{0}/task/{0}/children", process.id());
    let children = fs::read_to_string(ours).unwrap();
    let children = children.split_whitespace().map(str::parse);
    let mut all: Vec<_> = children
        .filter_map(|pid| Pid::from_raw(pid.unwrap()))
        .collect();
    assert!(!all.is_empty());
    all.insert(0, pid);
    for pid in all {
        kill_process(pid, Signal::TERM).unwrap();
    }
    says(process, &directory, pid, &["TERM", "USR2"]);
}

/// It sends to the process that it has started, and then to its group.
#[test]
fn signal_of_timeout_comes_once() {
    let directory = Directory::new();
    let mut timeout = prepared("timeout", &directory);
    timeout.args([
        "1000",
        "lockutils",
        "run",
        "key",
        "--",
        "sh",
        "-c",
        LISTENER,
    ]);
    let process = listening(&directory, &mut timeout);
    let children = format!("/proc/{0}/task/{0}/children", process.id());
    let run = fs::read_to_string(children)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // The time is over.
    process.signal(Signal::ALARM);
    says(
        process,
        &directory,
        Pid::from_raw(run).unwrap(),
        &["TERM", "USR2"],
    );
}

/// Then it doesn't get what is sent to the group.
#[test]
fn signal_to_the_group_is_passed_on_to_a_command_that_has_left_it() {
    let directory = Directory::new();
    let args = ["run", "key", "--", "setsid", "sh", "-c", LISTENER];
    let process = listening(&directory, &mut lockutils(&directory, args));
    let pid = pid(&process);
    kill_process_group(pid, Signal::TERM).unwrap();
    says(process, &directory, pid, &["TERM", "USR2"]);
}

#[test]
fn killed_group_leaves_nothing() {
    let directory = Directory::new();
    let process = run(&directory);
    let group = pid(&process);
    kill_process_group(group, Signal::KILL).unwrap();
    assert!(process.hear().is_none(), "the command has ended too");
}

/// The kernel tells all of the session when the terminal is gone.
#[test]
fn end_of_the_terminal_comes_once() {
    let directory = Directory::new();
    let listener = "trap 'echo HUP >> $LOCKUTILS_DIR/said' HUP
        trap 'echo end >> $LOCKUTILS_DIR/said; exit' USR1
        echo $$ > $LOCKUTILS_DIR/pid; echo $PPID > $LOCKUTILS_DIR/run; echo ready
        while kill -0 $PPID; do read line < $LOCKUTILS_DIR/fifo; done";
    fs::write(directory.join("listener"), listener).unwrap();
    nix::unistd::mkfifo(&directory.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut script = prepared("script", &directory);
    let command = "exec lockutils run key -- sh $LOCKUTILS_DIR/listener";
    script.args(["-q", "-c", command, "/dev/null"]);
    let mut terminal = Process::start(&mut script);
    terminal.hear_of("ready");
    let said = || fs::read_to_string(directory.join("said")).unwrap_or_default();
    terminal.kill();
    eventually("it is told", || said() == "HUP\n");
    let run = fs::read_to_string(directory.join("run")).unwrap();
    let run = run.trim().parse().ok().and_then(Pid::from_raw).unwrap();
    kill_process(run, Signal::USR1).unwrap();
    eventually("it has ended", || said().contains("end"));
    assert_eq!(said(), "HUP\nend\n");
}

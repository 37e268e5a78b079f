//! Signals that are sent to `lockutils run`.

use crate::{UNTIL_TOLD, code, holding, lockutils, shell, until_it_reads};
use lockutils_tests::{Directory, Process, eventually};
use nix::libc;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

/// Says which signal it gets, and goes on until it is told a line, or is alone.
pub(crate) const LISTENER: &str =
    "for name in HUP INT QUIT TERM USR1 USR2; do trap \"echo $name\" $name; done
    echo $$ > $LOCKUTILS_DIR/pid; echo ready; while kill -0 $PPID; do read line && exit 7; done";

#[test]
fn signals_are_passed_on_and_the_lock_is_held_meanwhile() {
    let directory = Directory::new();
    let args = ["run", "key", "--", "sh", "-c", LISTENER];
    let mut process = Process::start(&mut lockutils(&directory, args));
    process.hear_of("ready");
    for (signal, name) in [
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::TERM, "TERM"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
    ] {
        until_it_reads(&directory);
        process.signal(signal);
        process.hear_of(name);
        let other = ["run", "-q", "-n", "key", "--", "true"];
        assert_eq!(code(&mut lockutils(&directory, other)), 75);
    }
    process.tell("");
    assert_eq!(process.end().code(), Some(7));
    assert!(process.hear().is_none(), "each signal comes once");
}

/// What is written to somebody who has gone has the kernel send one, as if it were by the writer.
#[test]
fn signal_of_an_own_write_is_not_passed_on() {
    let directory = Directory::new();
    let script = LISTENER.replace("USR2", "USR2 PIPE");
    let args = ["run", "key", "--", "sh", "-c", &script];
    let mut process = Process::start(&mut lockutils(&directory, args));
    process.hear_of("ready");
    // It is asked about each signal.
    let kill = format!("pkill -KILL -P {} -f signal-witness", process.id());
    assert_eq!(code(&mut shell(&directory, &kill)), 0);
    for (signal, name) in [(Signal::USR1, "USR1"), (Signal::USR2, "USR2")] {
        until_it_reads(&directory);
        process.signal(signal);
        assert_eq!(process.hear().as_deref(), Some(name));
    }
    process.tell("");
    assert_eq!(process.end().code(), Some(7));
    assert!(process.hear().is_none());
}

/// Those that end a process, and some more.
#[test]
fn every_signal_that_can_be_is_passed_on() {
    let directory = Directory::new();
    let kept = [
        // Nobody sees them coming, or they are the processor's.
        libc::SIGKILL,
        libc::SIGSTOP,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGSEGV,
        // Job control, and the command's own end.
        libc::SIGCONT,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGCHLD,
    ];
    let named = (1..32).filter(|signal| !kept.contains(signal));
    let signals: Vec<_> = named.chain(libc::SIGRTMIN()..=libc::SIGRTMAX()).collect();
    let words = signals
        .iter()
        .map(i32::to_string)
        .collect::<Vec<_>>()
        .join(" ");
    let script = format!(
        "for n in {words}; do trap \"echo $n\" $n; done; echo $$ > $LOCKUTILS_DIR/pid
         echo ready; while kill -0 $PPID; do read line && exit 7; done"
    );
    let args = ["run", "key", "--", "sh", "-c", &script];
    let mut process = Process::start(&mut lockutils(&directory, args));
    process.hear_of("ready");
    for signal in signals {
        until_it_reads(&directory);
        let kill = format!("kill -{signal} {}", process.id());
        assert_eq!(code(&mut shell(&directory, &kill)), 0);
        assert_eq!(process.hear().as_deref(), Some(&*signal.to_string()));
    }
    process.tell("");
    assert_eq!(process.end().code(), Some(7));
    assert!(process.hear().is_none(), "each signal comes once");
}

/// Blocks a signal of those that queue, and takes it three times.
const COUNTER: &str = "
import signal
signals = {signal.SIGRTMIN + 1}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
print('ready', flush=True)
for count in range(3):
    if signal.sigtimedwait(signals, 60) is None:
        raise SystemExit(count)
";

/// By one sender, one right after the other.
#[test]
fn signal_that_is_sent_thrice_comes_thrice() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: no python3 here");
        return;
    }
    let directory = Directory::new();
    let args = ["run", "key", "--", "python3", "-c", COUNTER];
    let mut process = Process::start(&mut lockutils(&directory, args));
    process.hear_of("ready");
    let signal = libc::SIGRTMIN() + 1;
    let kill = format!("for n in 1 2 3; do kill -{signal} {}; done", process.id());
    assert_eq!(code(&mut shell(&directory, &kill)), 0);
    assert_eq!(process.end().code(), Some(0));
}

#[test]
fn signal_that_ends_the_command_is_its_status() {
    let directory = Directory::new();
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let mut process = holding(&directory, &["key"]);
        process.signal(signal);
        assert_eq!(process.end().code(), Some(code));
    }
}

#[test]
fn signal_ends_who_waits() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["key"]);
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let args = ["run", "key", "--", "echo", "inside"];
        let mut waiter = Process::start(&mut lockutils(&directory, args));
        eventually("it waits", || waiter.waits_in_kernel());
        waiter.signal(signal);
        assert_eq!(waiter.end().signal(), Some(signal.as_raw()));
        assert!(waiter.hear().is_none());
    }
}

/// As `nohup` has it.
#[test]
fn signal_that_is_ignored_stays_ignored() {
    let directory = Directory::new();
    let script = format!("trap '' HUP; exec lockutils run key -- sh -c '{LISTENER}'");
    let mut process = Process::start(&mut shell(&directory, &script));
    process.hear_of("ready");
    until_it_reads(&directory);
    process.signal(Signal::HUP);
    process.signal(Signal::USR1);
    // Which would come after the other.
    process.hear_of("USR1");
    process.tell("");
    assert_eq!(process.end().code(), Some(7));
}

/// As a terminal does to all of a job.
#[test]
fn waiter_that_is_stopped_goes_on_later() {
    let directory = Directory::new();
    let mut first = holding(&directory, &["key"]);
    let args = ["run", "key"].iter().chain(&UNTIL_TOLD);
    let mut waiter = Process::start(&mut lockutils(&directory, args));
    eventually("it waits", || waiter.waits_in_kernel());
    waiter.stop();
    first.tell("");
    first.end();
    waiter.signal(Signal::CONT);
    waiter.hear_of("held");
    waiter.tell("");
    assert!(waiter.end().success());
}

//! The other processes of a case: the test's own program once more, told to run the same test alone.
//! There it makes its space and obeys, line by line, until its standard input ends:
//!
//! | command | does | answers |
//! |---|---|---|
//! | `hold KEY` | takes a lock, however long the server is away | `asks`, and `held FENCE` when it has it |
//! | `state` | looks at the latest hold | `valid` or `lost` |
//! | `end` | asks it how long it is valid at least | that moment, see [`now`] |
//! | `release` | releases it | `released` or `lost` |
//! | `fork` | has the child of a fork drop what is held, and ask for more | `forked`, if the child was told so |
//! | `record FILE` | see [`record`] | |
//!
//! Its first line is `begins`.

use std::env;
use std::io::{self, BufRead as _, Write as _};
use std::process::{Command, exit};
use std::time::Duration;

use fork::{Fork, fork};
use lockutils::{ErrorKind, LeaseGuard};
use lockutils_conformance::{Process, eventually};
use lockutils_remote::{Remote, Store};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::record::{now, record};
use super::subject::{KEY, LONG, Subject, at, kind};
use crate::proxy::Proxy;

const MARK: &str = "lockutils-servers: ";
const PORT: &str = "LOCKUTILS_FAULTS_PORT";
const LEASE: &str = "LOCKUTILS_FAULTS_LEASE";

/// Another process, and its way to the server.
pub(crate) struct Other {
    process: Process,
    pub(crate) proxy: Proxy,
}

impl Other {
    /// Starts one that runs the test of this name.
    pub(crate) fn start(test: &str, server: u16, lease: Duration) -> Self {
        let proxy = Proxy::to(server);
        let program = env::current_exe().expect("the test's own program");
        let mut command = Command::new(program);
        command.args([test, "--exact", "--nocapture", "--include-ignored"]);
        command.env(PORT, proxy.port().to_string());
        command.env(LEASE, lease.as_millis().to_string());
        let process = Process::start_marked(&mut command, MARK);
        process.hear_of("begins");
        Self { process, proxy }
    }

    /// Has it ask for a lock, and waits until its question is at the server.
    pub(crate) fn asks(&mut self, key: &str) {
        let before = self.proxy.requests();
        self.process.ask_for(&format!("hold {key}"), "asks");
        eventually("it asks", || self.proxy.requests() > before);
    }

    /// Waits until it has what it asked for. Gives the fence.
    pub(crate) fn has(&self) -> u64 {
        self.process.hear_of("held").parse().expect("a fence")
    }

    /// Has it take a lock. Gives the fence.
    pub(crate) fn holds(&mut self, key: &str) -> u64 {
        self.asks(key);
        self.has()
    }

    pub(crate) fn state(&mut self) -> String {
        self.process.ask("state")
    }

    /// Until when it may believe at least to hold what it took last, as [`now`] counts.
    pub(crate) fn end(&mut self) -> u64 {
        self.process.ask("end").parse().expect("a moment")
    }

    /// Has it fork, and waits until the child has ended.
    pub(crate) fn forks(&mut self) {
        self.process.ask_for("fork", "forked");
    }

    pub(crate) fn release(&mut self) -> String {
        self.process.ask("release")
    }

    /// Has it hold a lock again and again until it is killed.
    pub(crate) fn record(&mut self, file: &str) {
        self.process.tell(&format!("record {file}"));
    }

    /// Stops it, and waits until it has stopped.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        self.process.until_stopped();
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw);
        kill_process(pid.expect("the number of a process"), signal).expect("it is a child");
    }
}

/// The space of this process, if it is the other one of a case.
pub(crate) fn locks<S: Subject>() -> Option<Remote<S::Store>> {
    let number = |name| env::var(name).ok()?.parse().ok();
    let port = u16::try_from(number(PORT)?).ok()?;
    let locks = at::<S>(port, Duration::from_millis(number(LEASE)?));
    // The proxy is in the process of the case, which may stand still.
    Some(locks.answer_timeout(LONG))
}

/// Obeys the commands until there are no more.
pub(crate) fn obey<S: Subject>(locks: &Remote<S::Store>) {
    // So that the next question is the only thing that it says to the server.
    drop(hold(locks, &format!("warm {}", std::process::id())).release());
    say("begins");
    let mut guards = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line.expect("commands are text");
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("hold", key) => {
                say("asks");
                let guard = hold(locks, key);
                say(&format!("held {}", guard.fence()));
                guards.push(guard);
            }
            ("state", _) => {
                let guard = guards.last().expect("something is held");
                say(if guard.is_lost() { "lost" } else { "valid" });
            }
            ("end", _) => {
                let before = now();
                let guard = guards.last().expect("something is held");
                let valid_for = u64::try_from(guard.valid_for().as_nanos()).expect("not so long");
                say(&(before + valid_for).to_string());
            }
            ("release", _) => match guards.pop().expect("something is held").release() {
                Ok(()) => say("released"),
                Err(error) if error.kind() == ErrorKind::Lost => say("lost"),
                Err(error) => panic!("{error}"),
            },
            ("fork", _) => match fork().expect("there is a child") {
                // It ends without another word, as the harness has one thread here.
                Fork::Child => exit(i32::from(!is_told_of_the_fork::<S>(locks, guards))),
                Fork::Parent(child) => {
                    let (_, status) = waitpid(Pid::from_raw(child), WaitOptions::empty())
                        .expect("it is a child")
                        .expect("it has ended");
                    say(if status.exit_status() == Some(0) {
                        "forked"
                    } else {
                        "failed"
                    });
                }
            },
            ("record", file) => record(locks, file),
            _ => panic!("unknown command {line:?}"),
        }
    }
}

/// Whether the child of a fork has an error for its parent's space, and locks of one of its own. What its parent
/// holds is dropped here.
fn is_told_of_the_fork<S: Subject>(locks: &Remote<S::Store>, guards: Vec<LeaseGuard>) -> bool {
    let is_lost = guards.iter().all(LeaseGuard::is_lost);
    drop(guards);
    let error = locks.key("of the child").lock().unwrap_err();
    let is_told = error.kind() == ErrorKind::Unavailable && error.to_string().contains("fork");
    let own = self::locks::<S>().expect("it is the other process of a case");
    let is_busy = kind(own.key(KEY).try_lock()) == ErrorKind::Busy;
    let is_had = own
        .key("of the child")
        .lock()
        .and_then(LeaseGuard::release)
        .is_ok();
    is_lost && is_told && is_busy && is_had
}

/// However long the server is away.
fn hold(locks: &Remote<impl Store>, key: &str) -> LeaseGuard {
    loop {
        match locks.key(key).lock() {
            Ok(guard) => return guard,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        }
    }
}

fn say(answer: &str) {
    let mut out = io::stdout().lock();
    // The harness may have begun a line. Who no longer listens needs no answer.
    let _ = writeln!(out, "\n{MARK}{answer}").and_then(|()| out.flush());
}

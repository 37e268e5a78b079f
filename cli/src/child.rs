//! A command that is run: signals go to it, and its exit status comes back.
//!
//! It stays in our process group, so that Ctrl-C, Ctrl-Z, `fg` and `bg` mean both of us, and
//! the terminal is its own. Signals that somebody sends to us alone are passed on, and we stay
//! for as long as it runs. Whether it was us alone, the [`witness`](crate::witness) knows.

use crate::launch::Bond;
use crate::signal::Signals;
use crate::witness::Witness;
use crate::{exit, launch, process, signal};
use anyhow::{Context as _, Result};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, getpgid};
use shared_child::SharedChild;
use shared_child::unix::SharedChildExt as _;
use signal_hook::consts::{SIGCHLD, SIGCONT, SIGTERM};
use signal_hook::low_level::siginfo::Origin;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// What somebody sends to several processes within this time, he sends at once: systemd sends
/// to one after the other, and `timeout` to us and then to all of the group. So what is sent to us
/// alone comes late by it, unless the sender has ended, as `kill` does.
const AT_ONCE: Duration = Duration::from_millis(50);

/// How long until it is looked again whether a sender has ended.
const NAP: Duration = Duration::from_millis(1);

/// When a command is to end before its time.
pub(crate) struct Limit {
    /// Returns when that is so, and says why.
    pub(crate) wait: Box<dyn FnOnce() + Send>,
    /// How long it then has, from SIGTERM to SIGKILL.
    pub(crate) grace: Duration,
}

/// Runs a command, which has at least one word, and inherits some descriptors.
pub(crate) fn run(
    words: &[OsString],
    environment: &[(&str, OsString)],
    inherited: &[OwnedFd],
) -> Result<ExitCode> {
    // From before there is a child, so that none is missed.
    let signals = signal::listen().context("can't listen to signals")?;
    supervise(words, environment, inherited, signals, None)
}

/// Runs a command that ends when it is told to, and when we end, however that is. The signals are
/// listened to already.
pub(crate) fn run_within(
    limit: Limit,
    signals: Signals,
    words: &[OsString],
    environment: &[(&str, OsString)],
) -> Result<ExitCode> {
    supervise(words, environment, &[], signals, Some(limit))
}

fn supervise(
    words: &[OsString],
    environment: &[(&str, OsString)],
    inherited: &[OwnedFd],
    mut signals: Signals,
    limit: Option<Limit>,
) -> Result<ExitCode> {
    let mut witness = Witness::start()?;
    for descriptor in inherited {
        fcntl_setfd(descriptor, FdFlags::empty()).context("can't share a descriptor")?;
    }
    let bond = match limit {
        Some(_) => Bond::EndsWithUs,
        None => Bond::None,
    };
    let child = Arc::new(launch::start(words, environment, bond)?);
    // Only now: the command is to ignore and to block what we were to.
    let handle = signals.handle();
    let is_ready = handle
        .add_signal(SIGCHLD)
        .and_then(|()| signal::unblock_all_but(&[]));
    is_ready.context("can't listen to signals")?;
    if let Some(limit) = limit {
        let child = Arc::clone(&child);
        let ending = move || end(limit, &child);
        let watched = thread::Builder::new().spawn(ending);
        watched.context("can't start a thread that ends the command in time")?;
    }
    loop {
        // It isn't waited for elsewhere, and its id not free, while a signal is passed on.
        if let Some(status) = child.try_wait().context("can't wait for the command")? {
            return Ok(code(status));
        }
        let first: Vec<_> = signals.wait().filter(is_for_it).collect();
        let received = with_those_sent_at_once(first, &mut signals);
        pass_on(received, &mut witness, &child);
    }
}

/// Waits for the limit, and ends the command. Where the command has ended before, there is nothing
/// to do, and this process ends as well.
fn end(limit: Limit, child: &SharedChild) {
    (limit.wait)();
    // One that is stopped gets the first when it goes on. What can't be sent, is as above.
    let _ = child.send_signal(SIGTERM);
    let _ = child.send_signal(SIGCONT);
    thread::sleep(limit.grace);
    let _ = child.kill();
}

fn is_for_it(origin: &Origin) -> bool {
    origin.signal != SIGCHLD && signal::was_sent(origin)
}

/// Waits for what else their senders send at once; not for those that can't send any more.
fn with_those_sent_at_once(mut received: Vec<Origin>, signals: &mut Signals) -> Vec<Origin> {
    let can_send_more = |origin: &Origin| match signal::sender(origin) {
        // The kernel, or a process that has no id here.
        0 => true,
        sender => process::runs(sender.unsigned_abs()),
    };
    let end = Instant::now() + AT_ONCE;
    while Instant::now() < end && received.iter().any(can_send_more) {
        thread::sleep(NAP);
        received.extend(signals.pending().filter(is_for_it));
    }
    // Also what came between the two looks.
    received.extend(signals.pending().filter(is_for_it));
    received
}

/// Sends the child what it doesn't have yet, as often as it came.
fn pass_on(mut received: Vec<Origin>, witness: &mut Witness, child: &SharedChild) {
    while let Some(first) = received.first().cloned() {
        let (same, others) = received.into_iter().partition(|origin| *origin == first);
        received = others;
        let same: Vec<Origin> = same;
        if witness.has_it_too(&first) && !is_elsewhere(child) {
            continue;
        }
        for origin in same {
            // If it can't be done, the child has become another user, and is not ours to tell.
            let _ = child.send_signal(origin.signal);
        }
    }
}

/// Whether the child has left our group, and so doesn't get what is sent to that.
fn is_elsewhere(child: &SharedChild) -> bool {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    getpgid(pid).is_ok_and(|group| Ok(group) != getpgid(None))
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or(status.signal().map(|signal| exit::KILLED + signal));
    let code = code.and_then(|code| u8::try_from(code).ok());
    code.expect("it has ended, in one of two ways").into()
}

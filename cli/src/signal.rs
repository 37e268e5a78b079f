//! The signals that are passed on to a command: all that can be, as far as they end a process.
//!
//! That is every signal but:
//!
//! - SIGKILL and SIGSTOP, which nobody sees coming; and SIGILL, SIGFPE and SIGSEGV, which the
//!   processor has for a program that is at fault.
//! - Those of job control, which stop and continue us and the command together.
//! - SIGCHLD, which is about the command itself.
//! - Those that were ignored when we were started, as `nohup` has it: they are left alone, and
//!   so the command ignores them too.

use lockutils_startup as startup;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use signal_hook::consts::{FORBIDDEN, SIGCHLD, SIGCONT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::Origin;
use std::io;
use std::mem::ManuallyDrop;
use std::process;

/// Signals with their senders, for as long as this process runs. Whoever stops to listen closes a
/// socket first that handlers write to: one that runs just then gets SIGPIPE, which is listened to as
/// well, and so again and again.
pub(crate) type Signals = ManuallyDrop<SignalsInfo<WithOrigin>>;

/// Begins to listen to all that are passed on. They don't end this process any more.
pub(crate) fn listen() -> io::Result<Signals> {
    let signals = SignalsInfo::new(
        Signal::iterator()
            .map(|signal| signal as i32)
            .chain(real_time())
            .filter(|signal| !FORBIDDEN.contains(signal))
            .filter(|signal| ![SIGCHLD, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU].contains(signal))
            .filter(|signal| !startup::is_ignored(*signal)),
    );
    signals.map(ManuallyDrop::new)
}

/// Those without names.
#[cfg(target_os = "linux")]
fn real_time() -> impl Iterator<Item = i32> {
    nix::libc::SIGRTMIN()..=nix::libc::SIGRTMAX()
}

#[cfg(not(target_os = "linux"))]
fn real_time() -> impl Iterator<Item = i32> {
    std::iter::empty()
}

/// Starts a new process with all signals blocked.
pub(crate) fn blocked<T>(start: impl FnOnce() -> T) -> io::Result<T> {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let started = start();
    before.thread_set_mask()?;
    Ok(started)
}

/// Lets signals through, also those that were blocked when we were started; but not these.
pub(crate) fn unblock_all_but(blocked: &[Signal]) -> io::Result<()> {
    let blocked: SigSet = blocked.iter().copied().collect();
    Ok(blocked.thread_set_mask()?)
}

/// Whether somebody has sent a signal. The SIGPIPE that the kernel has for who writes to a connection or a pipe
/// whose other end is closed looks as if this process had: whoever wrote has an error as well, and sees to it.
pub(crate) fn was_sent(origin: &Origin) -> bool {
    origin.signal != SIGPIPE || u32::try_from(sender(origin)) != Ok(process::id())
}

/// The sender of a signal: the process's id, or zero for the kernel.
pub(crate) fn sender(origin: &Origin) -> i32 {
    origin.process.map_or(0, |process| process.pid)
}

//! What the standard library doesn't have for sockets and processes: waiting for several, writing
//! without a signal, and who this process is.

#![expect(unsafe_code, reason = "the standard library doesn't have it")]

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Who this process runs as.
pub(super) fn user() -> u32 {
    // SAFETY: the call takes nothing and can't fail.
    unsafe { libc::geteuid() }
}

/// Whether a process of this id is there, also if it is another user's.
pub(super) fn runs(pid: i32) -> bool {
    // SAFETY: no signal is sent.
    let found = unsafe { libc::kill(pid, 0) };
    found == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// How finely the system counts the time of processes.
pub(super) fn ticks_a_second() -> Option<u64> {
    // SAFETY: the call takes a number.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).ok().filter(|ticks| *ticks > 0)
}

/// Sends what there is room for. Where nobody reads any more it is an error, and never a signal.
pub(super) fn send(stream: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    #[cfg(target_vendor = "apple")]
    const NO_SIGNAL: i32 = 0; // The standard library has set it for the socket.
    #[cfg(not(target_vendor = "apple"))]
    const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
    let flags = NO_SIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: the descriptor is open, and so many bytes can be read.
    let sent = unsafe {
        libc::send(
            stream.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            flags,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// What a descriptor is waited for, and what has come of it.
#[repr(transparent)]
pub(super) struct Ready(libc::pollfd);

impl Ready {
    pub(super) fn new(of: &impl AsRawFd, reads: bool, writes: bool) -> Self {
        let mut events = 0;
        if reads {
            events |= libc::POLLIN;
        }
        if writes {
            events |= libc::POLLOUT;
        }
        let fd: RawFd = of.as_raw_fd();
        let revents = 0;
        Self(libc::pollfd {
            fd,
            events,
            revents,
        })
    }

    /// Whether something came of it.
    pub(super) const fn is_ready(&self) -> bool {
        self.0.revents != 0
    }

    /// Whether the other end is gone, and nobody reads what is sent.
    pub(super) const fn is_gone(&self) -> bool {
        self.0.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0
    }
}

/// Waits until something comes of one of them, or for so long.
pub(super) fn wait(all: &mut [Ready], most: Option<Duration>) {
    // To the next millisecond, so that it isn't too early again and again.
    let millis = most.map(|most| most.as_nanos().div_ceil(1_000_000));
    let millis = millis.map_or(-1, |millis| i32::try_from(millis).unwrap_or(i32::MAX));
    let count = all.len() as libc::nfds_t;
    // SAFETY: `Ready` is a `pollfd`, and so many are there. What a failure leaves in them is that
    // nothing has come.
    unsafe {
        libc::poll(all.as_mut_ptr().cast(), count, millis);
    }
}

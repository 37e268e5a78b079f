//! Who is at the other end of a socket, as the kernel knows it, and whether that may attach.

#![expect(unsafe_code, reason = "the standard library doesn't have it")]

use super::sys;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;

/// Who has opened the other end.
struct Peer {
    user: u32,
    /// What its files belong to; the others are asked for only if they matter.
    group: u32,
}

/// Whether the other end is this user's or root's, or a member's of the group, if one may attach.
pub(super) fn may_attach(stream: &UnixStream, group: Option<u32>) -> bool {
    let Ok(peer) = Peer::of(stream) else {
        return false;
    };
    let is_member = |group| peer.group == group || groups(stream).contains(&group);
    [0, sys::user()].contains(&peer.user) || group.is_some_and(is_member)
}

impl Peer {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[expect(clippy::cast_possible_truncation, reason = "it has a few bytes")]
    fn of(stream: &UnixStream) -> io::Result<Self> {
        let mut peer = libc::ucred {
            pid: 0,
            uid: 0,
            gid: 0,
        };
        let mut length = size_of::<libc::ucred>() as libc::socklen_t;
        // SAFETY: the descriptor is open, and there is room for as much as `length` says.
        let done = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut peer).cast(),
                &raw mut length,
            )
        };
        match done {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(Self {
                user: peer.uid,
                group: peer.gid,
            }),
        }
    }

    #[cfg(any(
        target_vendor = "apple",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    ))]
    fn of(stream: &UnixStream) -> io::Result<Self> {
        let (mut user, mut group) = (0, 0);
        // SAFETY: the descriptor is open, and there is room for both.
        match unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut user, &raw mut group) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(Self { user, group }),
        }
    }

    /// Of other systems it isn't known how they tell, so nobody is let in.
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    )))]
    fn of(_stream: &UnixStream) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The further groups that the other end had when it connected; none if they can't be had.
#[cfg(target_os = "linux")]
fn groups(stream: &UnixStream) -> Vec<u32> {
    let mut groups = vec![0_u32; 32];
    loop {
        let room = size_of_val(&groups[..]);
        let mut length = libc::socklen_t::try_from(room).unwrap_or(0);
        // SAFETY: the descriptor is open, and there is room for as much as `length` says.
        let done = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = length as usize / size_of::<u32>();
        let error = io::Error::last_os_error().raw_os_error();
        if done == -1 && error == Some(libc::ERANGE) && count > groups.len() {
            // It says how many there are, which are the same for as long as the socket is there.
            groups.resize(count, 0);
            continue;
        }
        groups.truncate(if done == -1 { 0 } else { count });
        return groups;
    }
}

/// Other systems don't tell all of them.
#[cfg(not(target_os = "linux"))]
fn groups(_stream: &UnixStream) -> Vec<u32> {
    Vec::new()
}

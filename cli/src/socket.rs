//! Where sockets of services are, see `lockutils::inspect`, and which of them are believed.
//!
//! | of | in |
//! |---|---|
//! | a user | `~inspect` in the directory of its own lock files |
//! | a user, for a group | `~inspect` in `lockutils-UID-GID`, in `/run` or `/tmp` |
//!
//! Anybody can make a socket that is called as a service's, so whose it is is looked at before
//! something is asked there: by its path first, and once connected by [who listens](stranger).

use crate::{place, process};
#[cfg(target_os = "linux")]
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use rustix::process::{getegid, geteuid, getgroups};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The folder of the sockets, in a directory.
const FOLDER: &str = "~inspect";

/// Where the directories for groups are.
const PLACES_OF_GROUPS: [&str; 2] = ["/run", "/tmp"];

/// Those of a mode's bits by which others than the owner may write.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// A socket that a process has, or had.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Socket {
    pub(crate) pid: u32,
    pub(crate) path: PathBuf,
}

/// Where services of this user are looked for that have no path of their own. Where the session
/// says where such are, they are there, and where groups have theirs; else they may be in several
/// places, and to root belong those of all users.
pub(crate) fn usual() -> BTreeSet<Socket> {
    let Some(runtime) = runtime() else {
        return everywhere();
    };
    let own = in_folder(&runtime);
    // Root is in all groups, and asks in a session for what is the session's.
    let of_groups = (!geteuid().is_root()).then(shared);
    own.chain(of_groups.into_iter().flatten()).collect()
}

/// All that can be seen.
pub(crate) fn everywhere() -> BTreeSet<Socket> {
    let user = geteuid().as_raw();
    let usual = [format!("/run/user/{user}"), "/run".to_owned()];
    let usual = usual.iter().map(|path| Path::new(path).join("lockutils"));
    let own = usual.chain([PathBuf::from(format!("/tmp/lockutils-{user}"))]);
    let own = own
        .chain(runtime())
        .flat_map(|path| in_folder(&path).collect::<Vec<_>>());
    let listed = fs::read("/proc/net/unix").unwrap_or_default();
    let listed = String::from_utf8_lossy(&listed);
    let listed = listed
        .lines()
        .filter_map(|line| line.find('/').map(|at| &line[at..]));
    let listed = listed.filter_map(|path| {
        let path = PathBuf::from(path);
        let socket = Socket::at(&path)?;
        if path.exists() {
            return Some(socket);
        }
        // A service may have a `/tmp` of its own.
        let inside = format!("/proc/{}/root{}", socket.pid, path.to_str()?);
        Socket::at(Path::new(&inside))
    });
    own.chain(shared()).chain(listed).collect()
}

/// Those in the directories for groups.
fn shared() -> impl Iterator<Item = Socket> {
    let entries = PLACES_OF_GROUPS.iter().flat_map(fs::read_dir);
    let entries = entries.flatten().flatten().map(|entry| entry.path());
    let shared = entries.filter(|path| owners(path).is_some());
    shared.flat_map(|path| in_folder(&path).collect::<Vec<_>>())
}

/// The user and the group of a directory for a group, by its name.
fn owners(directory: &Path) -> Option<(u32, u32)> {
    let name = directory.file_name()?.to_str()?;
    let (user, group) = name.strip_prefix("lockutils-")?.split_once('-')?;
    Some((user.parse().ok()?, group.parse().ok()?))
}

/// Whether this process is in a group.
fn is_member(group: u32) -> bool {
    let mut groups = getgroups().into_iter().flatten();
    getegid().as_raw() == group || groups.any(|one| one.as_raw() == group)
}

/// The sockets of a directory of lock files.
fn in_folder(directory: &Path) -> impl Iterator<Item = Socket> {
    let entries = fs::read_dir(directory.join(FOLDER)).into_iter();
    let entries = entries.flatten().flatten();
    entries.filter_map(|entry| Socket::at(&entry.path()))
}

/// The user's own directory of lock files, where the session says where it is. Root's is the same in all
/// sessions.
fn runtime() -> Option<PathBuf> {
    let runtime = PathBuf::from(place::variable("XDG_RUNTIME_DIR")?);
    let is_of_session = geteuid().is_root() && runtime.starts_with("/run/user");
    (runtime.is_absolute() && !is_of_session).then(|| runtime.join("lockutils"))
}

impl Socket {
    /// The socket at a path, if it is named as they are.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let is_there = path.parent()?.file_name()? == FOLDER;
        let pid = path.file_name()?.to_str()?.split('-').next()?;
        let pid = pid.parse().ok().filter(|_| is_there)?;
        let path = path.to_owned();
        Some(Self { pid, path })
    }

    /// Whether it was made by the user of the process that it is named after, or by root: nobody else is to
    /// speak for that.
    pub(crate) fn is_its_own(&self) -> bool {
        match (process::user(self.pid), self.user()) {
            (Some(user), Some(made_by)) => made_by == user || made_by == 0,
            // It has ended, or it is hidden.
            (None, Some(made_by)) => {
                made_by == geteuid().as_raw() || self.is_for_own_group() == Some(true)
            }
            (_, None) => false,
        }
    }

    /// Whether it can be only a service's that this user may attach to: his own, and to root that is
    /// each; or one for a group that he is in. Then it is in a directory that only a member of the group,
    /// or root, can have given to it, and only its owner can write to.
    pub(crate) fn is_for_us(&self) -> bool {
        let user = geteuid();
        let is_own = user.is_root() || self.user() == Some(user.as_raw());
        is_own || self.is_for_own_group() == Some(true)
    }

    /// The process that it is named after, as it is called here. One in a container has named it by the id
    /// that it has there; if the kernel says that it is who listens, there is nothing else to believe.
    pub(crate) fn process(&self, stream: &UnixStream) -> Option<u32> {
        let inside = listener(stream).filter(|pid| process::id_inside(*pid) == Some(self.pid));
        inside.or_else(|| self.is_its_own().then_some(self.pid))
    }

    /// Whether this user can't even get there.
    pub(crate) fn is_closed(&self) -> bool {
        let found = fs::symlink_metadata(&self.path);
        found.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    }

    /// Who has made it.
    fn user(&self) -> Option<u32> {
        let found = fs::symlink_metadata(&self.path);
        found.ok().map(|found| found.uid())
    }

    fn is_for_own_group(&self) -> Option<bool> {
        let folder = self.path.parent()?;
        let shared = folder.parent()?;
        let (user, group) = owners(shared)?;
        let is_theirs = |path: &Path| {
            let found = fs::symlink_metadata(path);
            let theirs = |found: fs::Metadata| {
                let is_open =
                    !found.file_type().is_socket() && found.mode() & OTHERS_MAY_WRITE != 0;
                (found.uid(), found.gid()) == (user, group) && !is_open
            };
            found.is_ok_and(theirs)
        };
        let place = shared.parent()?.to_str()?;
        let is_there = PLACES_OF_GROUPS.contains(&place);
        let parts = [shared, folder, &self.path];
        Some(is_there && is_member(group) && parts.into_iter().all(is_theirs))
    }
}

/// The process that listens at the other end, if it can be seen from here.
#[cfg(target_os = "linux")]
fn listener(stream: &UnixStream) -> Option<u32> {
    let peer = getsockopt(stream, PeerCredentials).ok()?;
    u32::try_from(peer.pid()).ok().filter(|pid| *pid != 0)
}

/// Other systems have no such namespaces.
#[cfg(not(target_os = "linux"))]
const fn listener(_stream: &UnixStream) -> Option<u32> {
    None
}

/// Who listens at the other end, if that is known and is neither the process that is to, nor one of its user's or
/// root's in a PID namespace that isn't seen from here.
#[cfg(target_os = "linux")]
pub(crate) fn stranger(stream: &UnixStream, process: u32) -> Option<String> {
    let peer = getsockopt(stream, PeerCredentials).ok()?;
    let is_user = |user| peer.uid() == user || peer.uid() == 0;
    match u32::try_from(peer.pid()) {
        // Nobody who can be seen.
        Ok(0) if process::user(process).is_none_or(is_user) => None,
        Ok(0) => Some(format!(
            "a process of user {}, and not process {process},",
            peer.uid()
        )),
        Ok(pid) if pid == process => None,
        _ => Some(format!(
            "process {}, and not process {process},",
            peer.pid()
        )),
    }
}

/// Other systems don't say it in the same way.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn stranger(_stream: &UnixStream, _process: u32) -> Option<String> {
    None
}

//! Where the socket is: in a directory that nobody else can write to.
//!
//! That of the user's own is closed to everybody else. One for a group is another one, which
//! its members can go to and read, and only the user can write to.

use super::{group, start, sys};
use crate::file::{check_directory, own_directory};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::{env, process};

/// The folder in the user's own directory; no lock file is called so.
const FOLDER: &str = "~inspect";

/// A socket that is listened to, with its name.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) path: PathBuf,
    /// Of whom it is to be removed: who forks has a copy of this.
    pid: u32,
    /// Which file it is.
    inode: (u64, u64),
}

impl Name {
    /// Whether this is the process that has made it.
    pub(super) fn is_own(&self) -> bool {
        self.pid == process::id()
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // Somebody may have put another one there.
        if self.is_own() && inode(&self.path).ok() == Some(self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Listens in the user's own directory, where the command looks for it.
pub(super) fn listen_in_own() -> io::Result<(UnixListener, Name)> {
    let runtime = env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty());
    let own = own_directory(runtime.map(PathBuf::from));
    let own = own.map_err(|(path, error)| refused(&path, &error))?;
    let folder = own.join(FOLDER);
    check_directory(&folder).map_err(|error| refused(&folder, &error))?;
    listen_in(&folder, None)
}

/// Listens in a directory for a group, where its members' commands look for it.
pub(super) fn listen_in_shared(group: u32) -> io::Result<(UnixListener, Name)> {
    let user = sys::user();
    let system = Path::new("/run");
    let place = if user == 0 && system.is_dir() {
        system
    } else {
        Path::new("/tmp")
    };
    let shared = place.join(format!("lockutils-{user}-{group}"));
    let folder = shared.join(FOLDER);
    for directory in [&shared, &folder] {
        let checked = check_directory(directory).and_then(|()| open_to(directory, group));
        checked.map_err(|error| refused(directory, &error))?;
    }
    listen_in(&folder, Some(group))
}

/// Listens in a folder where each process has its own.
fn listen_in(folder: &Path, group: Option<u32>) -> io::Result<(UnixListener, Name)> {
    remove_stale(folder);
    let (number, _) = start::of_process();
    listen_at(&folder.join(format!("{}-{number}", process::id())), group)
}

/// Listens at a path.
pub(super) fn listen(path: &Path, group: Option<u32>) -> io::Result<(UnixListener, Name)> {
    if !path.is_absolute() {
        let error = io::Error::new(ErrorKind::InvalidInput, "its path is to be absolute");
        return Err(refused(path, &error));
    }
    let folder = path.parent().unwrap_or(path);
    let is_new = fs::symlink_metadata(folder).is_err();
    let checked = check_directory(folder).and_then(|()| match group {
        // One that stayed closed would be taken for one that is to be so.
        Some(group) if is_new => open_to(folder, group).inspect_err(|_| {
            let _ = fs::remove_dir(folder);
        }),
        Some(group) => group::check_may_enter(folder, group),
        None => Ok(()),
    });
    checked.map_err(|error| refused(folder, &error))?;
    listen_at(path, group)
}

/// Has the members of a group go to a directory of ours, and read it.
fn open_to(directory: &Path, group: u32) -> io::Result<()> {
    group::give(directory, group)?;
    fs::set_permissions(directory, Permissions::from_mode(0o750))
}

fn listen_at(path: &Path, group: Option<u32>) -> io::Result<(UnixListener, Name)> {
    let listen = || {
        remove_if_stale(path)?;
        let listener = UnixListener::bind(path)?;
        let pid = process::id();
        let inode = inode(path)?;
        let name = Name {
            path: path.to_owned(),
            pid,
            inode,
        };
        // Before that it is as the umask has it; whoever comes is asked who it is in any case.
        let mode = match group {
            Some(group) => {
                group::give(path, group)?;
                0o660
            }
            None => 0o600,
        };
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        listener.set_nonblocking(true)?;
        Ok((listener, name))
    };
    listen().map_err(|error| refused(path, &error))
}

/// Removes a socket whose process is gone. Anything else that is there stays, and is an error.
fn remove_if_stale(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let denied = |reason| Err(io::Error::new(ErrorKind::PermissionDenied, reason));
    if found.is_symlink() {
        return denied("it is a symbolic link");
    }
    if !found.file_type().is_socket() {
        return denied("there is something else, which is no socket");
    }
    if found.uid() != sys::user() {
        return denied("it belongs to somebody else");
    }
    match UnixStream::connect(path) {
        Ok(_) => {
            let reason = "a process serves there already";
            Err(io::Error::new(ErrorKind::AddrInUse, reason))
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

/// Removes what processes have left that were killed.
fn remove_stale(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.split('-').next()?.parse().ok());
        // Of one that runs it isn't asked: one that is stopped would keep us waiting.
        if pid.is_some_and(|pid| pid > 0 && !sys::runs(pid)) {
            // One in another PID namespace may serve.
            let _ = remove_if_stale(&entry.path());
        }
    }
}

fn inode(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Why nothing is served.
fn refused(path: &Path, error: &io::Error) -> io::Error {
    let path = path.to_string_lossy();
    let text = format!("can't serve at {path:?}: {error}");
    io::Error::new(error.kind(), text)
}

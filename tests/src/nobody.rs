//! Another user's processes.

use crate::directory::Directory;
use rustix::process::geteuid;
use std::fs::{self, Permissions};
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A user that isn't root and owns nothing.
pub const NOBODY: u32 = 65534;

/// Starts a program as another user, where the tests are root's; else as the same one, for whom
/// permissions count as well.
///
/// # Panics
///
/// If the program can't be copied to where everybody may run it.
pub fn as_nobody<R>(program: &str, start: impl FnOnce(&mut Command) -> R) -> R {
    copied(program, |copy| {
        let mut command = Command::new(copy);
        if geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        start(&mut command)
    })
}

/// Starts a program as another user, who is in a group beside that of its own. Only root can.
///
/// # Panics
///
/// If the program can't be copied to where everybody may run it.
pub fn as_member<R>(
    user: u32,
    group: u32,
    program: &str,
    start: impl FnOnce(&mut Command) -> R,
) -> R {
    copied(program, |copy| {
        // The standard library can't set further groups yet.
        let mut command = Command::new("setpriv");
        command
            .args([
                format!("--reuid={user}"),
                format!("--regid={user}"),
                format!("--groups={group}"),
            ])
            .arg(copy);
        start(&mut command)
    })
}

/// A group that no other run of the tests has at the same time. It needs no name.
#[must_use]
pub fn some_group() -> u32 {
    50_000 + std::process::id() % 15_000
}

/// Where services of [`NOBODY`] have their sockets for a group. It is removed at the end of a test, also of
/// one that fails.
#[derive(Debug)]
pub struct PlaceForGroup(PathBuf);

impl PlaceForGroup {
    /// Of a group; nothing is made there.
    #[must_use]
    pub fn new(group: u32) -> Self {
        Self(format!("/tmp/lockutils-{NOBODY}-{group}").into())
    }
}

impl Deref for PlaceForGroup {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for PlaceForGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Has a copy of a program where everybody may run it.
fn copied<R>(program: &str, run: impl FnOnce(&Path) -> R) -> R {
    // Where it is, nobody may not be able to go.
    let directory = Directory::new();
    fs::set_permissions(&*directory, Permissions::from_mode(0o755)).expect("it is ours");
    let copy = directory.join("program");
    // By another process: while this one had it open to write, a child that another thread
    // starts just then would have so too, and nobody may run such a file.
    let copied = Command::new("cp").arg(program).arg(&copy).status();
    assert!(copied.is_ok_and(|copied| copied.success()), "{program}");
    run(&copy)
}

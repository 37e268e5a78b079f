//! Where programs are.

use std::env;
use std::path::{Path, PathBuf};

/// The program that the variable names, else the one of this name in `PATH` or where Debian has those of
/// the administrator.
pub(crate) fn find(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(told) = env::var_os(variable) {
        return Some(told.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/bin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// The user and the group of this name, by `/etc/passwd`.
pub(crate) fn user(name: &str) -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line
        .split(':')
        .skip(2)
        .map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// Whom a server that doesn't run as root is to be run as, where this process is root.
pub(crate) fn not_root() -> Option<(u32, u32)> {
    rustix::process::geteuid().is_root().then(|| {
        user("postgres")
            .or_else(|| user("nobody"))
            .expect("a user who is not root")
    })
}

/// Gives a directory to that user.
pub(crate) fn give_away(directory: &Path) {
    if let Some((user, group)) = not_root() {
        std::os::unix::fs::chown(directory, Some(user), Some(group)).expect("root may do that");
    }
}

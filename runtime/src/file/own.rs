//! The directory of the user's own.

use super::sys::{Files as _, Os};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The directory of the user's own, if that is where the process-wide space is.
static OWN: OnceLock<PathBuf> = OnceLock::new();

/// Looks again whether the directory of the user's own can be trusted, and makes it where it
/// is gone: those who clean up temporary files may have removed it, and anybody may have made
/// another one since. Other directories are whose they are.
pub(super) fn check(directory: &Path) -> io::Result<()> {
    if !is_own(directory) {
        return Ok(());
    }
    Os::check_own(directory).map_err(|(kind, reason)| io::Error::new(kind, reason))
}

/// Whether it is the directory of the user's own.
pub(super) fn is_own(directory: &Path) -> bool {
    OWN.get().is_some_and(|own| own == directory)
}

/// The directory of the user's own, for what is no lock file; or what is wrong with it. It is made where
/// it is missing. `runtime` is where the system keeps what lasts for a session.
#[cfg(all(feature = "inspect", unix))]
pub(crate) fn own_directory(runtime: Option<PathBuf>) -> Result<PathBuf, (PathBuf, io::Error)> {
    let (directory, made) = Os::own_directory(runtime);
    match made {
        Ok(()) => Ok(directory),
        Err((kind, reason)) => Err((directory, io::Error::new(kind, reason))),
    }
}

/// Whether nobody but the user can write to a directory, or put another one in its place. It is made where
/// it is missing.
#[cfg(all(feature = "inspect", unix))]
pub(crate) fn check_directory(directory: &Path) -> io::Result<()> {
    Os::check_own(directory).map_err(|(kind, reason)| io::Error::new(kind, reason))
}

/// Makes the directory, and puts the process-wide space there. Gives it, or what is wrong with
/// it. `runtime` is where the system keeps what lasts for a session.
pub(crate) fn use_own_directory(
    runtime: Option<PathBuf>,
) -> Result<&'static Path, (PathBuf, io::ErrorKind, &'static str)> {
    let (directory, made) = Os::own_directory(runtime);
    match made {
        Ok(()) => Ok(OWN.get_or_init(|| directory)),
        Err((kind, reason)) => Err((directory, kind, reason)),
    }
}

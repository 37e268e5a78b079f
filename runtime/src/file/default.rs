//! The process-wide space of lock files, and where it is.

use super::sys::{Files as _, Os};
use super::{FileLocks, Refused, remember};
use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

static FILE_LOCKS: OnceLock<FileLocks> = OnceLock::new();

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

/// The process-wide space of lock files, which `#[synchronized(.., external)]` uses.
///
/// It is the first of these that there is, looked for at the first use:
///
/// 1. what [`set_file_locks`] was given;
/// 2. the directory that the environment variable `LOCKUTILS_DIR` names;
/// 3. the directory of Python's programs that `OSLO_LOCK_PATH` names, as [`FileLocks::oslo`]
///    without a prefix;
/// 4. a directory of the user's own, see [`FileLocks`].
///
/// A variable that is set to nothing isn't set. One with a relative path is refused, and every
/// lock an error: processes that were started in different directories would not exclude each
/// other.
///
/// # Examples
///
/// ```no_run
/// let guard = lockutils::file_locks().key("db-migrations").lock()?;
/// # Ok::<(), lockutils::Error>(())
/// ```
#[must_use]
pub fn file_locks() -> &'static FileLocks {
    FILE_LOCKS.get_or_init(find)
}

/// Sets the process-wide space of lock files.
///
/// For `main`, before anybody uses it: all callers of a process must agree on where a lock
/// is.
///
/// # Errors
///
/// Gives the space back if there is one already, since this was called before or somebody
/// has used [`file_locks`].
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// let locks = FileLocks::new("/var/lib/service/locks").prefix("service-");
/// lockutils::set_file_locks(locks).expect("nothing was locked yet");
/// ```
pub fn set_file_locks(locks: FileLocks) -> Result<(), FileLocks> {
    FILE_LOCKS.set(locks)
}

fn find() -> FileLocks {
    choose(|name| env::var_os(name).filter(|value| !value.is_empty()))
}

fn choose(variable: impl Fn(&str) -> Option<OsString>) -> FileLocks {
    if let Some(directory) = variable("LOCKUTILS_DIR") {
        return named_by("LOCKUTILS_DIR", directory, FileLocks::new);
    }
    if let Some(directory) = variable("OSLO_LOCK_PATH") {
        let oslo = |directory| FileLocks::oslo(directory, "");
        return named_by("OSLO_LOCK_PATH", directory, oslo);
    }
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    let (directory, made) = Os::own_directory(runtime);
    match made {
        Ok(()) => FileLocks::new(OWN.get_or_init(|| directory)),
        Err((kind, reason)) => {
            let remedy = "name another directory in `LOCKUTILS_DIR`, or with `set_file_locks`";
            let refused = Refused {
                kind,
                reason,
                remedy,
            };
            FileLocks::refused(directory, refused)
        }
    }
}

/// The space in a directory that a variable names. Each process would take a relative path from
/// a directory of its own, and so have a lock of its own.
fn named_by(
    variable: &str,
    directory: OsString,
    space: impl FnOnce(PathBuf) -> FileLocks,
) -> FileLocks {
    let directory = PathBuf::from(directory);
    if directory.is_absolute() {
        return space(directory);
    }
    let path = directory.to_string_lossy();
    let reason = format!(
        "the path in it, {path:?}, is relative, and another directory for each process that \
         is started elsewhere"
    );
    let remedy = format!(
        "set `{variable}` to an absolute path (`~` and variables are expanded by shells only)"
    );
    let refused = Refused {
        kind: io::ErrorKind::InvalidInput,
        reason: remember(reason),
        remedy: remember(remedy),
    };
    FileLocks::refused(directory, refused)
}

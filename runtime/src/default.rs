//! The process-wide space of lock files, and where it is.

use crate::file::{FileLocks, Refused, use_own_directory};
use crate::name::remember;
use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

static FILE_LOCKS: OnceLock<FileLocks> = OnceLock::new();

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
        return named_by("LOCKUTILS_DIR", directory, &FileLocks::new);
    }
    if let Some(directory) = variable("OSLO_LOCK_PATH") {
        let oslo = |directory| FileLocks::oslo(directory, "");
        return named_by("OSLO_LOCK_PATH", directory, &oslo);
    }
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    match use_own_directory(runtime) {
        Ok(directory) => FileLocks::new(directory),
        Err((directory, kind, reason)) => {
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
    space: &dyn Fn(PathBuf) -> FileLocks,
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

//! What helps where a lock file can't be used.

use super::descriptor::Failure;
use super::sys::{Files as _, KernelLocks as _, Os};
use crate::refusal::Refusal;
use std::io;

impl From<Failure> for Refusal {
    fn from(Failure { tried, source }: Failure) -> Self {
        let remedy = remedy(&source);
        Self::failed(tried, source, remedy)
    }
}

/// What helps.
fn remedy(error: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => {
            "give this user write access to the file and its directory, or use another directory"
        }
        Kind::ReadOnlyFilesystem => "use a directory on a file system that can be written to",
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
            "make some room on its file system, or use a directory on another one"
        }
        Kind::IsADirectory | Kind::AlreadyExists => {
            "something else is in its place; remove that, or use another directory"
        }
        Kind::TooManyLinks => {
            "it could be another program's file; remove this name of it, or use a directory that others can't write to"
        }
        Kind::NotADirectory => {
            "a file is where its directory should be; remove that, or use another directory"
        }
        Kind::NotFound => {
            "its directory can't be made, or is removed again and again; use another one, or see who removes it"
        }
        Kind::Unsupported => {
            "leave it where it is: a file that Python's programs use is never removed"
        }
        _ if Os::is_for_descriptors(error) => {
            "too many files are open; raise the limit (`ulimit -n`), or look for a leak"
        }
        _ if Os::is_for_length(error) => "its path is too long; use a directory with a shorter one",
        _ if Os::is_symbolic_link(error) => {
            "it is a symbolic link, which could lead anywhere; remove it, or use another directory"
        }
        _ if Os::is_for_locks(error) => {
            "its file system has no record locks, or none left; use a directory on a local one"
        }
        _ => "see what the system says, or use another directory",
    }
}

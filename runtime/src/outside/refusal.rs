//! Why an engine can't take a lock, before it is known which space and key that is.

use crate::error::Error;
use crate::key::Key;
use std::io;
use std::path::PathBuf;

/// Why an engine can't take a lock. Who asks it makes an [`Error`] of this, with the space
/// and the key.
///
/// That somebody else has the lock is no refusal, see [`Answer::Busy`](crate::engine::Answer::Busy).
#[derive(Debug)]
pub struct Refusal {
    reason: Reason,
    /// What can't be used, if that isn't the lock's own path.
    path: Option<PathBuf>,
}

#[derive(Debug)]
enum Reason {
    /// The space has no lock, or lock file, of such a key.
    Key {
        lock: &'static str,
        reason: &'static str,
    },
    /// What was tried, why it failed, and what helps.
    Failed(&'static str, io::Error, &'static str),
}

impl Refusal {
    /// The space has no lock of such a key: the error is of the kind
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey).
    ///
    /// `reason` says what is wrong with the key, and what to do: "it is empty; name something".
    #[must_use]
    pub const fn invalid_key(reason: &'static str) -> Self {
        let lock = "lock";
        Self::new(Reason::Key { lock, reason })
    }

    /// The same of lock files.
    pub(crate) const fn no_file(reason: &'static str) -> Self {
        let lock = "lock file";
        Self::new(Reason::Key { lock, reason })
    }

    /// The lock can't be used: the error is of the kind [`ErrorKind::Io`](crate::ErrorKind::Io),
    /// and has `source` as its source.
    ///
    /// `tried` stands behind "can't", and before the lock: "make directory". `remedy` says what
    /// helps: "give this user write access to it".
    #[must_use]
    pub const fn failed(tried: &'static str, source: io::Error, remedy: &'static str) -> Self {
        Self::new(Reason::Failed(tried, source, remedy))
    }

    const fn new(reason: Reason) -> Self {
        Self { reason, path: None }
    }

    /// The same of a path that isn't the lock's own.
    pub(crate) fn with_path(self, path: PathBuf) -> Self {
        let path = Some(path);
        Self { path, ..self }
    }

    /// The error of a lock, which is at a path, if it is at any.
    pub(crate) fn of(self, space: &'static str, key: Key, path: Option<PathBuf>) -> Error {
        match self.reason {
            Reason::Key { lock, reason } => Error::invalid_key(space, key, (lock, reason)),
            Reason::Failed(tried, source, remedy) => {
                Error::io(space, key, self.path.or(path), (tried, source, remedy))
            }
        }
    }
}

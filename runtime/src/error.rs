//! Why a lock was not taken.

use crate::deadlock::Deadlock;
use crate::holder::Holder;
use crate::key::Key;
use crate::name::LockName;
use std::convert::Infallible;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

/// A lock that was not taken.
///
/// The text says what was tried, on which key, and who is in the way:
/// `lock "cells/2f1c" is busy: held by connect (src/cells.rs:41) in thread "worker-3"`.
///
/// # Examples
///
/// ```
/// use lockutils::{ErrorKind, Locks};
///
/// static CELLS: Locks = Locks::new("cells");
///
/// let _held = CELLS.key("2f1c").lock();
/// let error = CELLS.key("2f1c").try_lock().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Busy);
/// assert_eq!(error.space(), Some("cells"));
/// assert_eq!(error.key(), Some("2f1c"));
/// assert!(error.to_string().starts_with("lock \"cells/2f1c\" is busy: held by "));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    space: &'static str,
    key: Key,
    waited: Duration,
    holder: Option<Holder>,
    deadlock: Option<Deadlock>,
    /// The lock file, where the lock is one.
    file: Option<PathBuf>,
    cause: Option<Cause>,
}

/// What was wrong, where it isn't somebody who holds the lock.
#[derive(Clone)]
enum Cause {
    /// The key: what it has none of, and why, with the remedy.
    Key(&'static str, &'static str),
    /// The file: what was tried with it, why that failed, and the remedy.
    File(&'static str, Arc<io::Error>, &'static str),
}

/// What kept a lock from being taken.
///
/// # Examples
///
/// ```
/// use lockutils::{Error, ErrorKind};
///
/// /// The status code that a web service answers with.
/// fn status(error: &Error) -> u16 {
///     match error.kind() {
///         ErrorKind::Busy | ErrorKind::Timeout => 503,
///         _ => 500,
///     }
/// }
///
/// let _guard = lockutils::lock("status");
/// assert_eq!(status(&lockutils::try_lock("status").unwrap_err()), 503);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Somebody holds the lock, and the call was not to wait.
    Busy,
    /// Somebody held the lock for longer than the call was to wait.
    Timeout,
    /// Waiting would never end: the thread holds the key itself, or those who hold it
    /// wait, over any number of steps, for this thread.
    Deadlock,
    /// The space has no lock of such a key.
    InvalidKey,
    /// The lock file can't be used; [`source()`](std::error::Error::source) is the
    /// [`io::Error`].
    Io,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        space: &'static str,
        key: Key,
        holder: Option<Holder>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            space,
            key,
            waited: Duration::ZERO,
            holder,
            deadlock: None,
            file: None,
            cause: None,
        }))
    }

    /// The error of a key that has no lock, or lock file. `reason` ends in a remedy.
    pub(crate) fn invalid_key(
        space: &'static str,
        key: Key,
        (lock, reason): (&'static str, &'static str),
    ) -> Self {
        let mut error = Self::new(ErrorKind::InvalidKey, space, key, None);
        error.0.cause = Some(Cause::Key(lock, reason));
        error
    }

    /// The error of a lock file, or its directory, that can't be used: what was tried, and
    /// what helps.
    pub(crate) fn io(
        space: &'static str,
        key: Key,
        path: Option<PathBuf>,
        (tried, source, remedy): (&'static str, io::Error, &'static str),
    ) -> Self {
        let mut error = Self::new(ErrorKind::Io, space, key, None).with_path(path);
        error.0.cause = Some(Cause::File(tried, Arc::new(source), remedy));
        error
    }

    /// Names the lock file, where the lock is one.
    pub(crate) fn with_path(mut self, path: Option<PathBuf>) -> Self {
        self.0.file = path;
        self
    }

    /// The same error, of a lock that others know by another name.
    pub(crate) fn renamed(mut self, space: &'static str, key: Key) -> Self {
        self.0.space = space;
        self.0.key = key;
        self
    }

    pub(crate) fn with_holder(mut self, holder: Option<Holder>) -> Self {
        self.0.holder = holder;
        self
    }

    pub(crate) fn with_waited(mut self, waited: Duration) -> Self {
        self.0.waited = waited;
        self
    }

    pub(crate) fn with_deadlock(mut self, deadlock: Option<Deadlock>) -> Self {
        self.0.deadlock = deadlock;
        self
    }

    /// What kept the lock from being taken.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The key's text.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        Some(self.0.key.as_str())
    }

    /// The name of the lock space. That of a space of lock files is its directory, and the
    /// prefix.
    #[must_use]
    pub fn space(&self) -> Option<&str> {
        Some(self.0.space)
    }

    /// The lock file, where the lock is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// How long the call waited before it gave up; zero where it didn't wait.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.0.waited
    }

    /// The cycle of waits that the call was part of and has dissolved by this error; or, if it
    /// timed out, one that it was in and that has an async task in it, or the task that a
    /// thread blocked for.
    #[must_use]
    pub fn deadlock(&self) -> Option<&Deadlock> {
        self.0.deadlock.as_ref()
    }

    /// Who held the lock, as far as that is known.
    #[must_use]
    pub fn holder(&self) -> Option<&Holder> {
        self.0.holder.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            space,
            key,
            waited,
            holder,
            deadlock,
            file,
            cause,
        } = &*self.0;
        let lock = match file {
            Some(file) => format!("{:?}", file.to_string_lossy()),
            None => LockName { space, key }.to_string(),
        };
        match kind {
            ErrorKind::Busy => write!(f, "lock {lock} is busy")?,
            ErrorKind::Timeout => {
                write!(f, "timed out after {waited:.1?} waiting for lock {lock}")?;
            }
            ErrorKind::Deadlock => write!(f, "deadlock: waiting for lock {lock} would never end")?,
            ErrorKind::InvalidKey | ErrorKind::Io => {}
        }
        match cause {
            Some(Cause::Key(lock, reason)) => {
                return write!(f, "no {lock} for key {key:?} in {space:?}: {reason}");
            }
            Some(Cause::File(tried, _, remedy)) => {
                return write!(f, "can't {tried} {lock}; {remedy}");
            }
            None => {}
        }
        if let Some(holder) = holder {
            write!(f, ": held by {holder}")?;
        }
        match (kind, deadlock) {
            (_, None) => Ok(()),
            (ErrorKind::Deadlock, Some(deadlock)) => match deadlock.own_wait() {
                Some(site) => {
                    let copied = deadlock.remedy_for_a_copy().unwrap_or_default();
                    write!(
                        f,
                        ", the same that waits, at {site}; release it first, or use \
                         `reentrant`{copied}"
                    )
                }
                None => write!(f, "\n{deadlock}"),
            },
            (_, Some(deadlock)) => write!(f, "; suspected deadlock:\n{deadlock}"),
        }
    }
}

/// The text, and that of the source: so an error is readable where somebody calls
/// [`unwrap`](Result::unwrap), or returns it from `main`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        match std::error::Error::source(self) {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

// It doesn't change, whatever the system's error has inside.
impl UnwindSafe for Error {}
impl RefUnwindSafe for Error {}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.0.cause.as_ref()? {
            Cause::Key(..) => None,
            Cause::File(_, source, _) => Some(&**source),
        }
    }
}

/// So that `?` and the attribute serve in a function that returns [`io::Result`]. The
/// lock's error is what [`io::Error::get_ref`] gives.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Busy => io::ErrorKind::WouldBlock,
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::Deadlock => io::ErrorKind::Deadlock,
            ErrorKind::InvalidKey => io::ErrorKind::InvalidInput,
            ErrorKind::Io => match &error.0.cause {
                Some(Cause::File(_, source, _)) => source.kind(),
                _ => io::ErrorKind::Other,
            },
        };
        Self::new(kind, error)
    }
}

/// So that a failure that can't be is as good as any other.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

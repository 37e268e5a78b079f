//! Why a lock was not taken.

use crate::deadlock::Deadlock;
use crate::key::Key;
use crate::site::Holder;
use std::convert::Infallible;
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
}

/// What kept a lock from being taken.
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
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        space: &'static str,
        key: Key,
        holder: Option<Holder>,
    ) -> Self {
        let (waited, deadlock) = (Duration::ZERO, None);
        Self(Box::new(Inner {
            kind,
            space,
            key,
            waited,
            holder,
            deadlock,
        }))
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

    /// The name of the lock space.
    #[must_use]
    pub fn space(&self) -> Option<&str> {
        Some(self.0.space)
    }

    /// How long the call waited before it gave up; zero where it didn't wait.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.0.waited
    }

    /// The cycle of waits that the call would have closed; or, if it timed out, one that
    /// it was in and that has an async task in it.
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
        } = &*self.0;
        let lock = LockName { space, key };
        match kind {
            ErrorKind::Busy => write!(f, "lock {lock} is busy")?,
            ErrorKind::Timeout => {
                write!(f, "timed out after {waited:.1?} waiting for lock {lock}")?;
            }
            ErrorKind::Deadlock => write!(f, "deadlock: waiting for lock {lock} would never end")?,
        }
        if let Some(holder) = holder {
            write!(f, ": held by {holder}")?;
        }
        match (kind, deadlock) {
            (_, None) => Ok(()),
            (ErrorKind::Deadlock, Some(deadlock)) => match deadlock.own_wait() {
                Some(site) => write!(
                    f,
                    ", the same that waits, at {site}; release it first, or use `reentrant`"
                ),
                None => write!(f, "\n{deadlock}"),
            },
            (_, Some(deadlock)) => write!(f, "; suspected deadlock:\n{deadlock}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            space,
            key,
            waited,
            holder,
            deadlock,
        } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("space", space)
            .field("key", key)
            .field("waited", waited)
            .field("holder", holder)
            .field("deadlock", deadlock)
            .finish()
    }
}

impl std::error::Error for Error {}

/// So that `?` and the attribute serve in a function that returns [`io::Result`]. The
/// lock's error is what [`io::Error::get_ref`] gives.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Busy => io::ErrorKind::WouldBlock,
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::Deadlock => io::ErrorKind::Deadlock,
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

/// A lock as texts name it: `"cells/2f1c"`, or `"cells"` where the key is empty.
pub(crate) struct LockName<'a> {
    pub(crate) space: &'a str,
    pub(crate) key: &'a Key,
}

impl fmt::Display for LockName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { space, key } = self;
        if key.as_bytes().is_empty() {
            write!(f, "\"{space}\"")
        } else {
            // So that no key can pretend to be another, or another line.
            write!(f, "\"{space}/{}\"", key.as_str().escape_debug())
        }
    }
}

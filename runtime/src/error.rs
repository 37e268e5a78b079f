//! Why a lock was not taken.

use crate::deadlock::Deadlock;
use crate::holder::{Holder, Sought};
use crate::key::Key;
use crate::lasted::Lasted;
use crate::name::LockName;
use std::borrow::Cow;
use std::convert::Infallible;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
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
    space: Option<&'static str>,
    key: Option<Key>,
    waited: Duration,
    /// Empty until somebody asks for it.
    holder: OnceLock<Option<Holder>>,
    /// Who is to be looked up then.
    sought: Option<Sought>,
    deadlock: Option<Deadlock>,
    /// The lock file, where the lock is one.
    file: Option<PathBuf>,
    cause: Option<Cause>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            kind: ErrorKind::Busy,
            space: None,
            key: None,
            waited: Duration::ZERO,
            holder: OnceLock::new(),
            sought: None,
            deadlock: None,
            file: None,
            cause: None,
        }
    }
}

/// What was wrong, where it isn't somebody who holds the lock.
#[derive(Clone)]
enum Cause {
    /// The key: what it has none of, and why, with the remedy.
    Key(&'static str, &'static str),
    /// The file: what was tried with it, why that failed, and the remedy.
    File(&'static str, Arc<io::Error>, &'static str),
    /// The server: how it is, the remedy with it, and what that is due to.
    Server(Cow<'static, str>, Option<Source>),
}

type Source = Arc<dyn std::error::Error + Send + Sync>;

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
    /// Somebody held the lock for longer than the call was to wait; or its server didn't answer in that
    /// time, or couldn't be reached, which the text says then, and [`unanswered`](Error::unanswered).
    Timeout,
    /// Waiting would never end: the thread holds the key itself, or those who hold it
    /// wait, over any number of steps, for this thread.
    Deadlock,
    /// The space has no lock of such a key.
    InvalidKey,
    /// The lock file can't be used; [`source()`](std::error::Error::source) is the
    /// [`io::Error`].
    Io,
    /// The lock was held, and isn't any longer: the lease ended that its server had given, since it
    /// was not renewed in time. Others may have the lock. Of several locks, that may be while the last of them is
    /// waited for.
    Lost,
    /// The server that has the locks can't be asked, or refuses.
    Unavailable,
    /// No server has such a URL.
    InvalidUrl,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        space: &'static str,
        key: Key,
        holder: Option<Holder>,
    ) -> Self {
        Self::plain(kind, Some(space), Some(key)).with_holder(holder)
    }

    /// The error of who doesn't wait.
    #[inline]
    pub(crate) fn busy(space: &'static str, key: &[u8], holder: Option<Sought>) -> Self {
        let mut error = Self::plain(ErrorKind::Busy, Some(space), Some(Key::empty()));
        let Inner {
            key: place, sought, ..
        } = &mut *error.0;
        if let Some(place) = place {
            place.set_utf8(key);
        }
        *sought = holder;
        error
    }

    #[inline]
    fn plain(kind: ErrorKind, space: Option<&'static str>, key: Option<Key>) -> Self {
        // Not made elsewhere and then moved to its box, which takes as long as a lock.
        let mut inner = Box::<Inner>::default();
        inner.kind = kind;
        inner.space = space;
        inner.key = key;
        Self(inner)
    }

    /// The error of a key that has no lock, or lock file. `reason` ends in a remedy.
    pub(crate) fn invalid_key(
        space: Option<&'static str>,
        key: Option<Key>,
        (lock, reason): (&'static str, &'static str),
    ) -> Self {
        let mut error = Self::plain(ErrorKind::InvalidKey, space, key);
        error.0.cause = Some(Cause::Key(lock, reason));
        error
    }

    /// The error of a lock file, or its directory, that can't be used: what was tried, and
    /// what helps.
    pub(crate) fn io(
        space: Option<&'static str>,
        key: Option<Key>,
        path: Option<PathBuf>,
        (tried, source, remedy): (&'static str, Arc<io::Error>, &'static str),
    ) -> Self {
        let mut error = Self::plain(ErrorKind::Io, space, key).with_path(path);
        error.0.cause = Some(Cause::File(tried, source, remedy));
        error
    }

    /// The error of a server, or of the lease that it gave.
    pub(crate) fn of_server(
        kind: ErrorKind,
        space: Option<&'static str>,
        key: Option<Key>,
        (reason, source): (Cow<'static, str>, Option<Source>),
    ) -> Self {
        let mut error = Self::plain(kind, space, key);
        error.0.cause = Some(Cause::Server(reason, source));
        error
    }

    /// Names the lock file, where the lock is one.
    pub(crate) fn with_path(mut self, path: Option<PathBuf>) -> Self {
        self.0.file = path;
        self
    }

    /// The same error, of a lock that others know by another name.
    pub(crate) fn renamed(mut self, space: &'static str, key: Key) -> Self {
        self.0.space = Some(space);
        self.0.key = Some(key);
        self
    }

    pub(crate) fn with_holder(mut self, holder: Option<Holder>) -> Self {
        self.0.holder = OnceLock::from(holder);
        self
    }

    /// The error of a try, for who has tried since there was no time to wait.
    pub(crate) fn in_no_time(mut self) -> Self {
        if self.0.kind == ErrorKind::Busy {
            self.0.kind = ErrorKind::Timeout;
        }
        self
    }

    /// Says why it was not known whether the lock is free, if it wasn't.
    pub(crate) fn with_unanswered(mut self, reason: Option<Cow<'static, str>>) -> Self {
        if let Some(reason) = reason {
            self.0.cause = Some(Cause::Server(reason, None));
        }
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

    /// The key's text; `None` where the error is not about one lock.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        Some(self.0.key.as_ref()?.as_str())
    }

    /// The name of the lock space. That of a space of lock files is its directory, and the
    /// prefix. `None` where there is none yet, as with a URL that is wrong.
    #[must_use]
    pub fn space(&self) -> Option<&str> {
        self.0.space
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

    /// Why it is not known whether the lock is free, with what helps, where a timeout came before the answer of
    /// the lock's server: it couldn't be reached, or was silent. `None` where somebody is known to have had the lock.
    #[must_use]
    pub fn unanswered(&self) -> Option<&str> {
        match (self.0.kind, &self.0.cause) {
            (ErrorKind::Timeout, Some(Cause::Server(reason, _))) => Some(reason),
            _ => None,
        }
    }

    /// Who held the lock, as far as that is known.
    #[must_use]
    pub fn holder(&self) -> Option<&Holder> {
        let Inner { holder, sought, .. } = &*self.0;
        holder
            .get_or_init(|| sought.clone().map(Sought::find))
            .as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            waited,
            cause,
            ..
        } = &*self.0;
        if let Some(cause) = cause {
            self.fmt_cause(cause, f)?;
            return self.fmt_deadlock(f);
        }
        let lock = self.name();
        match kind {
            ErrorKind::Timeout => {
                write!(
                    f,
                    "timed out after {} waiting for lock {lock}",
                    Lasted(*waited)
                )?;
            }
            ErrorKind::Deadlock => write!(f, "deadlock: waiting for lock {lock} would never end")?,
            _ => write!(f, "lock {lock} is busy")?,
        }
        if let Some(holder) = self.holder() {
            write!(f, ": {}", holder.has())?;
        }
        self.fmt_deadlock(f)
    }
}

/// The parts of the text.
impl Error {
    /// What the lock is called, or the space where there is no lock.
    fn name(&self) -> String {
        let Inner {
            space, key, file, ..
        } = &*self.0;
        let space = space.unwrap_or_default();
        match (file, key) {
            (Some(file), _) => format!("{:?}", file.to_string_lossy()),
            (None, Some(key)) => LockName { space, key }.to_string(),
            (None, None) => format!("{space:?}"),
        }
    }

    fn fmt_cause(&self, cause: &Cause, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            space,
            key,
            waited,
            ..
        } = &*self.0;
        let (name, space) = (self.name(), space.unwrap_or_default());
        let reason = match cause {
            Cause::Key(lock, reason) => {
                let key = key.as_ref().map_or("", Key::as_str);
                return write!(f, "no {lock} for key {key:?} in {space:?}: {reason}");
            }
            Cause::File(tried, _, remedy) => return write!(f, "can't {tried} {name}; {remedy}"),
            Cause::Server(reason, _) => reason,
        };
        match (kind, key) {
            (ErrorKind::InvalidUrl, _) => write!(f, "no server has this URL: {reason}"),
            (ErrorKind::Lost, _) => write!(
                f,
                "lock {name} was lost: {reason}; others may have it by now, so stop what it \
                 guards, and take it again"
            ),
            (ErrorKind::Timeout, _) => write!(
                f,
                "timed out after {} waiting for lock {name}: {reason}",
                Lasted(*waited)
            ),
            (_, Some(_)) => write!(f, "lock {name} is unavailable: {reason}"),
            (_, None) => write!(f, "locks of {name} are unavailable: {reason}"),
        }
    }

    fn fmt_deadlock(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind(), self.deadlock()) {
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
            Cause::Server(_, source) => match source {
                Some(source) => Some(&**source),
                None => None,
            },
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
            ErrorKind::InvalidKey | ErrorKind::InvalidUrl => io::ErrorKind::InvalidInput,
            ErrorKind::Lost => io::ErrorKind::ConnectionAborted,
            ErrorKind::Unavailable => io::ErrorKind::NotConnected,
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

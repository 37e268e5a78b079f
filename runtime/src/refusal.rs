//! Why an engine can't take a lock, before it is known which space and key that is.

use crate::error::{Error, ErrorKind};
use crate::key::Key;
use std::borrow::Cow;
use std::error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why an engine can't take a lock, or has it no longer. Who asks it makes an [`Error`] of this,
/// with the space and the key; of what isn't about one lock, the engine does so itself, by
/// [`Refusal::of_space`] and [`Refusal::of_no_space`].
///
/// That somebody else has the lock is no refusal, see [`Answer::Busy`](crate::engine::Answer::Busy).
///
/// # Examples
///
/// ```
/// use lockutils::engine::Refusal;
/// use lockutils::ErrorKind;
///
/// let reason = format!("db://{} has not answered for 5s; see that it runs", "10.0.0.1");
/// let refusal = Refusal::unavailable(reason);
/// assert_eq!(
///     refusal.of_space("billing").to_string(),
///     "locks of \"billing\" are unavailable: db://10.0.0.1 has not answered for 5s; see that it runs"
/// );
///
/// let refusal = Refusal::invalid_url("the port \"x\" is no number; write db://HOST:PORT");
/// assert_eq!(refusal.of_no_space().kind(), ErrorKind::InvalidUrl);
/// ```
#[derive(Clone, Debug)]
pub struct Refusal {
    reason: Reason,
    /// What can't be used, if that isn't the lock's own path.
    path: Option<PathBuf>,
}

#[derive(Clone, Debug)]
enum Reason {
    /// The space has no lock, or lock file, of such a key.
    Key {
        lock: &'static str,
        reason: &'static str,
    },
    /// What was tried, why it failed, and what helps.
    Failed(&'static str, Arc<io::Error>, &'static str),
    /// What is the matter with a server, or the lease that it gave.
    Server(ErrorKind, Cow<'static, str>, Option<Source>),
}

/// What an error is due to.
type Source = Arc<dyn error::Error + Send + Sync>;

impl Refusal {
    /// The space has no lock of such a key: the error is of the kind
    /// [`ErrorKind::InvalidKey`].
    ///
    /// `reason` says what is wrong with the key, and what to do: "it is empty; name something".
    #[must_use]
    pub const fn invalid_key(reason: &'static str) -> Self {
        let lock = "lock";
        Self::new(Reason::Key { lock, reason })
    }

    /// The same of lock files.
    #[cfg(feature = "file")]
    pub(crate) const fn no_file(reason: &'static str) -> Self {
        let lock = "lock file";
        Self::new(Reason::Key { lock, reason })
    }

    /// The lock can't be used: the error is of the kind [`ErrorKind::Io`], and has `source` as
    /// its source.
    ///
    /// `tried` stands behind "can't", and before the lock: "make directory". `remedy` says what
    /// helps: "give this user write access to it".
    #[must_use]
    pub fn failed(tried: &'static str, source: io::Error, remedy: &'static str) -> Self {
        Self::new(Reason::Failed(tried, Arc::new(source), remedy))
    }

    /// The server can't be asked, or refuses: the error is of the kind
    /// [`ErrorKind::Unavailable`].
    ///
    /// `reason` names the server, without a password, and says what is wrong with it and what to
    /// do: "the server has not answered for 5s; see that it runs and can be reached".
    #[must_use]
    pub fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::Server(ErrorKind::Unavailable, reason.into(), None))
    }

    /// The lock was held, and is no longer: the error is of the kind [`ErrorKind::Lost`], whose
    /// text says what to do.
    ///
    /// `reason` says how it came: "the server has ended its lease".
    #[must_use]
    pub fn lost(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::Server(ErrorKind::Lost, reason.into(), None))
    }

    /// No server has such a URL: the error is of the kind [`ErrorKind::InvalidUrl`].
    ///
    /// `reason` says which part is wrong, without a password, and what to do: "the port \"x\" is no
    /// number; write db://HOST:PORT".
    #[must_use]
    pub fn invalid_url(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::Server(ErrorKind::InvalidUrl, reason.into(), None))
    }

    /// The same, and what it is due to, where a server is the matter: the error's
    /// [`source`](error::Error::source).
    #[must_use]
    pub fn with_source(mut self, source: impl error::Error + Send + Sync + 'static) -> Self {
        if let Reason::Server(_, _, due_to) = &mut self.reason {
            *due_to = Some(Arc::new(source));
        }
        self
    }

    const fn new(reason: Reason) -> Self {
        Self { reason, path: None }
    }

    /// The same of a path that isn't the lock's own.
    #[cfg(feature = "file")]
    pub(crate) fn with_path(self, path: PathBuf) -> Self {
        let path = Some(path);
        Self { path, ..self }
    }

    /// The error of a lock.
    #[must_use]
    pub fn of_lock(self, space: &'static str, key: Key) -> Error {
        self.into_error(Some(space), Some(key), None)
    }

    /// The error of a space, where no lock is asked for: such as one of what shows them all.
    #[must_use]
    pub fn of_space(self, space: &'static str) -> Error {
        self.into_error(Some(space), None, None)
    }

    /// The error where there is no space yet: such as one of what makes it.
    #[must_use]
    pub fn of_no_space(self) -> Error {
        self.into_error(None, None, None)
    }

    /// The error of a lock, which is at a path, if it is at any.
    pub(crate) fn of(self, space: &'static str, key: Key, path: Option<PathBuf>) -> Error {
        self.into_error(Some(space), Some(key), path)
    }

    fn into_error(
        self,
        space: Option<&'static str>,
        key: Option<Key>,
        path: Option<PathBuf>,
    ) -> Error {
        match self.reason {
            Reason::Key { lock, reason } => Error::invalid_key(space, key, (lock, reason)),
            Reason::Failed(tried, source, remedy) => {
                Error::io(space, key, self.path.or(path), (tried, source, remedy))
            }
            Reason::Server(kind, reason, source) => {
                Error::of_server(kind, space, key, (reason, source))
            }
        }
    }
}

//! What the author of a space says of it.

use lockutils::engine::{Machine, Space};
use std::fmt::Debug;
use std::path::Path;

/// What is tested: how a space is made, and what it can do.
///
/// # Examples
///
/// See [the crate](crate).
pub trait Subject: 'static {
    /// The lock space.
    type Space: Space<Machine: Machine<Hold: Send, Failure: Debug + Send> + Send + 'static>
        + Send
        + Sync
        + 'static;

    /// Whether shared holders are inside together.
    const SHARED: bool = true;

    /// Whether several keys can be taken together.
    const SEVERAL_KEYS: bool = true;

    /// Whether the empty text is a key.
    const EMPTY_KEY: bool = true;

    /// Whether a text of 10,000 bytes is a key.
    const LONG_KEYS: bool = true;

    /// Whether different keys are always different locks. In the lock files of oslo.concurrency,
    /// say, `a/b` and `a_b` are one.
    const DISTINCT_KEYS: bool = true;

    /// Whether the space excludes other processes that have one at the same place.
    const ACROSS_PROCESSES: bool = false;

    /// Whether who is refused is told which process has the lock, or which place in this one, by
    /// [`Error::holder`](lockutils::Error::holder).
    const NAMES_HOLDER: bool = false;

    /// Whether a process that is killed frees its locks; within the [`LIMIT`](crate::LIMIT), if
    /// not at once.
    const FREED_BY_DEATH: bool = true;

    /// Whether a lock can be lost while it is held, and [`Subject::lose`] loses it. The guards are
    /// then those of locks that can be lost, as [`LeaseGuard`](lockutils::LeaseGuard).
    const LOSS: bool = false;

    /// Whether each hold of a key has a greater fence than those before it, see
    /// [`Fence`](lockutils::Fence).
    const FENCE: bool = false;

    /// Whether it can be tested here. If not, it says why on standard error, and the cases are skipped.
    #[must_use]
    fn available() -> bool {
        true
    }

    /// Takes the lock of a key away from who holds it, as a server does whose lease is over: the next
    /// who asks may have it.
    ///
    /// # Panics
    ///
    /// If the locks of the space can't be lost.
    fn lose(_space: &Self::Space, _key: &str) {
        panic!("a subject with `LOSS` says how a lock is lost");
    }

    /// Makes a space.
    ///
    /// `place` is an empty directory, and one of its own for each space, but for those that are
    /// to exclude each other: in several processes, or in one. Where locks aren't files, its
    /// name is a text that nothing else is called, such as a prefix of the keys of a server. A
    /// space of one process alone has no use for it. It is removed after the case.
    fn space(place: &Path) -> Self::Space;
}

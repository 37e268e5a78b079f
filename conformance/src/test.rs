//! One case, run for one subject.

use crate::{Process, in_time, other};
use lockutils::engine::{Machine, Space};
use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

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

/// A case being run: makes its spaces and its other processes.
pub struct Test<S> {
    name: &'static str,
    places: RefCell<Vec<TempDir>>,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Test<S> {
    /// Makes a space that nobody else has.
    ///
    /// # Panics
    ///
    /// If there can't be a directory for it.
    pub fn space(&self) -> S::Space {
        S::space(&self.place())
    }

    /// Makes an empty directory, which is removed after the case.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn place(&self) -> PathBuf {
        let place = tempfile::Builder::new().prefix("lockutils-").tempdir();
        let place = place.expect("the temporary directory can be written to");
        let path = place.path().to_owned();
        self.places.borrow_mut().push(place);
        path
    }

    /// Starts another process that has a space at the same place.
    pub(crate) fn process(&self, place: &Path) -> Process {
        other::start(self.name, place)
    }
}

impl<S> Debug for Test<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Test").field(&self.name).finish()
    }
}

/// Runs a case, unless the subject lacks something that it needs. `name` is the test's whole
/// path, from the crate on.
///
/// # Panics
///
/// If the subject fails it.
pub fn run<S: Subject>(name: &'static str, needs: &[(&str, bool)], case: fn(&Test<S>)) {
    // The test harness calls its tests by their path inside of the crate.
    let name = name.split_once("::").map_or(name, |(_crate, path)| path);
    if let Some(place) = other::place() {
        return other::obey::<S>(&S::space(&place));
    }
    if !S::available() {
        return;
    }
    if let Some((lacking, _)) = needs.iter().find(|(_, has)| !has) {
        // The subject's author knows that; it is printed for those that read the output.
        eprintln!("skipped: the space has no {lacking}");
        return;
    }
    in_time(move || {
        case(&Test {
            name,
            places: RefCell::default(),
            subject: PhantomData,
        });
    });
}

//! One case, run for one subject.

use crate::limit::in_time;
use crate::other;
use crate::process::Process;
use crate::subject::Subject;
use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

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

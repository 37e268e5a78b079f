//! Directories for lock files.

use std::cell::RefCell;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory of the test's own, removed with all that is in it when this is dropped.
#[derive(Debug)]
pub struct Directory(TempDir);

impl Directory {
    /// Makes an empty one.
    ///
    /// # Panics
    ///
    /// If it can't be made.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("lockutils-").tempdir();
        Self(directory.expect("the temporary directory can be written to"))
    }

    /// Makes one that is removed when the calling thread ends.
    #[must_use]
    pub fn of_this_thread() -> PathBuf {
        thread_local! {
            static DIRECTORIES: RefCell<Vec<Directory>> = const { RefCell::new(Vec::new()) };
        }
        let directory = Self::new();
        let path = directory.to_path_buf();
        DIRECTORIES.with_borrow_mut(|directories| directories.push(directory));
        path
    }
}

impl Default for Directory {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Directory {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.0.path()
    }
}

impl AsRef<Path> for Directory {
    fn as_ref(&self) -> &Path {
        self.0.path()
    }
}

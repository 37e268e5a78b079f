//! Directories of lock files, and the spaces in them.

use super::path::Rule;
use crate::name::remember;
use crate::refusal::Refusal;
use parking_lot::Mutex;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A directory of lock files, as it is spelt; there is one of each path in the process.
pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// What the spaces of its files' in-process locks are called.
    pub(super) name: &'static str,
    /// The same for the turns of those who share them.
    pub(super) turns: &'static str,
}

impl Directory {
    /// The one of a path. Directories are remembered for ever, as the names of spaces are.
    pub(super) fn at(path: PathBuf) -> &'static Self {
        // In the order of their paths.
        static DIRECTORIES: Mutex<Vec<&'static Directory>> = Mutex::new(Vec::new());
        // One that can't be made absolute is refused, see `Refused::unless_absolute`.
        let path = std::path::absolute(&path).unwrap_or(path);
        let mut directories = DIRECTORIES.lock();
        match directories.binary_search_by(|known| known.path.cmp(&path)) {
            Ok(known) => directories[known],
            Err(place) => {
                let name = path.to_string_lossy();
                let directory = Box::leak(Box::new(Self {
                    turns: remember(format!("{name} (turns)")),
                    name: remember(name.into_owned()),
                    path,
                }));
                directories.insert(place, directory);
                directory
            }
        }
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

/// What all locks of a space have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileSpace {
    pub(super) directory: &'static Directory,
    /// The directory, and the prefix.
    pub(super) name: &'static str,
    pub(super) rule: Rule,
    /// Why no lock of it can be taken, if it can't.
    pub(super) refused: Option<Refused>,
}

/// What is wrong with a directory, and the remedy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) kind: io::ErrorKind,
    pub(crate) reason: &'static str,
    pub(crate) remedy: &'static str,
}

impl Refused {
    /// A path that could not be made absolute would be another directory whenever the process
    /// goes to another one.
    pub(super) fn unless_absolute(path: &Path) -> Option<Self> {
        let reason = match path {
            _ if path.is_absolute() => return None,
            _ if path.as_os_str().is_empty() => "its path is empty",
            _ => "there is no current directory, which its path begins in",
        };
        Some(Self {
            kind: io::ErrorKind::InvalidInput,
            reason,
            remedy: "give its absolute path",
        })
    }
}

impl FileSpace {
    /// Why no lock of it can be taken.
    pub(super) fn refuse(self, refused: Refused) -> Refusal {
        let source = io::Error::new(refused.kind, refused.reason);
        let refusal = Refusal::failed("use directory", source, refused.remedy);
        refusal.with_path(self.directory.path.clone())
    }
}

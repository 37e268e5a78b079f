//! Where the lock files are, as it is said: by options, or by the environment.

use crate::exit;
use anyhow::Result;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use lockutils::FileLocks;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where the lock files are.
#[derive(Args)]
#[command(next_help_heading = "Where the lock files are")]
pub(crate) struct Place {
    /// Directory of the lock files; made when a lock is taken
    ///
    /// A relative path is taken from the current directory. Without it, the one in
    /// `LOCKUTILS_DIR` or `OSLO_LOCK_PATH`, or the user's own.
    #[arg(short, long, value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,

    /// What the names of the files begin with
    #[arg(short, long, value_parser = NonEmptyStringValueParser::new())]
    prefix: Option<String>,

    /// Use the lock files of Python's oslo.concurrency, by its rules
    ///
    /// The directory is its `lock_path`, and the prefix its `lock_file_prefix`.
    #[arg(long)]
    oslo: bool,
}

impl Place {
    /// Whether nobody has named a directory, so that it is the user's own.
    pub(crate) fn is_own(&self) -> bool {
        let names = ["LOCKUTILS_DIR", "OSLO_LOCK_PATH"];
        self.dir.is_none() && names.iter().all(|name| variable(name).is_none())
    }

    pub(crate) fn locks(&self) -> Result<FileLocks> {
        let (dir, prefix) = (self.dir.clone(), self.prefix.clone());
        if self.oslo {
            let dir = match dir.filter(|dir| !dir.as_os_str().is_empty()) {
                Some(dir) => dir,
                None => oslo_lock_path()?,
            };
            return Ok(FileLocks::oslo(dir, prefix.unwrap_or_default()));
        }
        let locks = match dir {
            Some(dir) => FileLocks::new(dir),
            None => lockutils::file_locks().clone(),
        };
        Ok(match prefix {
            Some(prefix) => locks.prefix(prefix),
            None => locks,
        })
    }
}

/// An environment variable. One that is set to nothing isn't set.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Python's directory, by its variable.
fn oslo_lock_path() -> Result<PathBuf> {
    let Some(dir) = variable("OSLO_LOCK_PATH").map(PathBuf::from) else {
        let text = "missing the directory for `--oslo`; name it with `--dir`, or in \
                    `OSLO_LOCK_PATH`";
        return Err(exit::usage(text));
    };
    if !dir.is_absolute() {
        // Of all that are started elsewhere it would be another one.
        let text = format!(
            "`OSLO_LOCK_PATH` has a relative path, {dir:?}; set it to an absolute one, or use `--dir`"
        );
        return Err(exit::usage(&text));
    }
    Ok(dir)
}

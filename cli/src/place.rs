//! Whose the locks are, as it is said, by options or by the environment: files of a directory, or
//! those of a server.

use crate::exit;
use crate::time::second;
use anyhow::Result;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use lockutils::FileLocks;
use lockutils_any::Any;
use lockutils_remote::Remote;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Whose locks they are.
#[derive(Args)]
pub(crate) struct Source {
    /// Take the locks at this server, for the processes of all hosts
    ///
    /// `postgres://`, `etcd://`, `etcds://`, `redis://` or `rediss://`. Without it, and without
    /// `--dir` and `--oslo`, the URL in `LOCKUTILS_ON`, which is the place for one that has a
    /// password: all users of a host can see arguments. Without that too, the locks are files.
    #[arg(
        long,
        value_name = "URL",
        value_hint = ValueHint::Url,
        conflicts_with_all = ["dir", "oslo"],
        help_heading = "Locks of a server"
    )]
    on: Option<String>,

    /// How long the server may be silent, before that is an error; at least 1s, 5s without it
    #[arg(long, value_name = "TIME", value_parser = second, help_heading = "Locks of a server")]
    answer_timeout: Option<Duration>,

    #[command(flatten)]
    pub(crate) files: Place,
}

impl Source {
    /// The server's locks, unless they are files.
    pub(crate) fn server(&self) -> Result<Option<Remote<Any>>> {
        let url = match &self.on {
            Some(url) => url.clone(),
            None if self.files.is_named() => return self.no_server(),
            None => match variable("LOCKUTILS_ON").map(OsString::into_string) {
                Some(Ok(url)) => url,
                Some(Err(_)) => return Err(exit::usage("`LOCKUTILS_ON` has no text")),
                None => return self.no_server(),
            },
        };
        let mut locks = Remote::new(&url)?;
        if let Some(prefix) = &self.files.prefix {
            locks = locks.prefix(prefix);
        }
        if let Some(timeout) = self.answer_timeout {
            locks = locks.answer_timeout(timeout);
        }
        Ok(Some(locks))
    }

    /// No server is named, so nobody may ask for what only servers have.
    fn no_server(&self) -> Result<Option<Remote<Any>>> {
        match self.answer_timeout {
            None => Ok(None),
            Some(_) => Err(exit::usage(
                "`--answer-timeout` is for locks of a server; name it with `--on`",
            )),
        }
    }
}

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

    /// What the names of the files, or of a server's locks, begin with
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

    /// Whether options say that the locks are files.
    fn is_named(&self) -> bool {
        self.dir.is_some() || self.oslo
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

//! `lockutils rm`: some lock files less.

use crate::args::RmArgs;
use crate::exit;
use anyhow::Result;
use lockutils::{Error, FileLocks};
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::process::ExitCode;

pub(crate) fn run(args: &RmArgs) -> Result<ExitCode> {
    let locks = args.place.locks()?;
    let mut code = ExitCode::SUCCESS;
    for key in &args.keys {
        match remove(&locks, key) {
            Ok(line) => writeln!(io::stdout(), "{line}")?,
            // Of several failures the last one's status: each has its line.
            Err(error) => code = exit::report(&error.into()),
        }
    }
    Ok(code)
}

fn remove(locks: &FileLocks, key: &OsStr) -> Result<String, Error> {
    let path = locks.path(key)?;
    let done = if locks.remove(key)? {
        "removed"
    } else {
        "nothing to remove at"
    };
    Ok(format!("{done} {path:?}"))
}

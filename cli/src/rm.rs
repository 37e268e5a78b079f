//! `lockutils rm`: one lock file less.

use crate::args::RmArgs;
use anyhow::Result;
use std::io::{self, Write as _};
use std::process::ExitCode;

pub(crate) fn run(args: &RmArgs) -> Result<ExitCode> {
    let locks = args.place.locks()?;
    let path = locks.path(&args.key)?;
    let done = if locks.remove(&args.key)? {
        "removed"
    } else {
        "nothing to remove at"
    };
    writeln!(io::stdout(), "{done} {path:?}")?;
    Ok(ExitCode::SUCCESS)
}

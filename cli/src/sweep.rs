//! `lockutils sweep`: all lock files less that nobody holds.

use crate::args::SweepArgs;
use crate::{exit, holder};
use anyhow::Result;
use std::io::{self, Write as _};
use std::process::ExitCode;

pub(crate) fn run(args: &SweepArgs) -> Result<ExitCode> {
    let locks = args.place.locks()?;
    let mut swept = locks.sweep()?;
    swept.removed.sort();
    let mut out = io::stdout().lock();
    for key in &swept.removed {
        writeln!(out, "removed {:?}", key.as_str())?;
    }
    for error in &swept.busy {
        let holder = error.holder().map(holder::text);
        let holder = holder.as_deref().unwrap_or("somebody");
        let key = error.key().unwrap_or_default();
        writeln!(out, "kept {key:?}, held by {holder}")?;
    }
    if swept.removed.is_empty() && swept.busy.is_empty() && swept.failed.is_empty() {
        writeln!(out, "nothing to remove in {:?}", locks.name())?;
    }
    Ok(exit::listed(&swept.failed))
}

//! `lockutils completions`: for shells.

use crate::args::{Cli, CompletionsArgs};
use anyhow::Result;
use clap::CommandFactory as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lockutils", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

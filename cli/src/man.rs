//! `lockutils man`: the manual pages.

use crate::args::{self, Cli, ManArgs};
use anyhow::Result;
use clap::CommandFactory as _;
use clap_mangen::Man;
use std::io;
use std::process::ExitCode;

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode> {
    let mut command = Cli::command();
    // Gives the subcommands their full names and common settings.
    command.build();
    if let Some(name) = &args.subcommand {
        let Some(found) = command.find_subcommand(name) else {
            return Err(args::usage(&format!("no subcommand {name:?}")));
        };
        command = found.clone();
    }
    Man::new(command).render(&mut io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

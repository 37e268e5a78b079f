//! `lockutils man`: the manual pages.

use crate::args::{self, Cli, ManArgs};
use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode> {
    let mut command = Cli::command();
    // Gives the subcommands their full names and common settings.
    command.build();
    if let Some(directory) = &args.install {
        let directory = Some(PathBuf::from(directory)).filter(|path| !path.as_os_str().is_empty());
        install(&command, directory)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = &args.subcommand {
        let Some(found) = command.find_subcommand(name) else {
            return Err(args::usage(&format!("no subcommand {name:?}")));
        };
        command = found.clone();
    }
    Man::new(command).render(&mut io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for the command and for each subcommand, where `man` finds them.
fn install(command: &Command, directory: Option<PathBuf>) -> Result<()> {
    let Some(directory) = directory.or_else(own_pages) else {
        return Err(args::usage(
            "there is no home directory; name one, as in `--install=/usr/local/share/man/man1`",
        ));
    };
    let failed = |path: &PathBuf| format!("can't write {path:?}");
    fs::create_dir_all(&directory).with_context(|| failed(&directory))?;
    let subcommands = command.get_subcommands();
    for command in subcommands
        .filter(|command| command.get_name() != "help")
        .chain([command])
    {
        let page = Man::new(command.clone());
        let path = directory.join(page.get_filename());
        let mut text = Vec::new();
        page.render(&mut text)?;
        fs::write(&path, text).with_context(|| failed(&path))?;
        writeln!(io::stdout(), "wrote {path:?}")?;
    }
    Ok(())
}

/// Where `man` looks for the pages of one user.
fn own_pages() -> Option<PathBuf> {
    let data = match args::variable("XDG_DATA_HOME") {
        Some(data) => PathBuf::from(data),
        None => PathBuf::from(args::variable("HOME")?).join(".local/share"),
    };
    Some(data.join("man/man1"))
}

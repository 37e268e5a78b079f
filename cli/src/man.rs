//! `lockutils man`: the manual pages.

use crate::args::{Cli, ManArgs};
use crate::{exit, place};
use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode> {
    // Its help has no page of its own.
    let mut command = Cli::command().disable_help_subcommand(true);
    // Gives the subcommands their full names and common settings.
    command.build();
    if let Some(directory) = &args.install {
        let directory = Some(PathBuf::from(directory)).filter(|path| !path.as_os_str().is_empty());
        install(&command, directory)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(name) = &args.subcommand {
        let Some(found) = command.find_subcommand(name) else {
            return Err(exit::usage(&format!("no subcommand {name:?}")));
        };
        command = found.clone();
    }
    io::stdout().write_all(&page(&manual(&command), &command)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for the command and for each subcommand, where `man` finds them.
fn install(command: &Command, directory: Option<PathBuf>) -> Result<()> {
    let Some(directory) = directory.or_else(own_pages) else {
        return Err(exit::usage(
            "there is no home directory; name one, as in `--install=/usr/local/share/man/man1`",
        ));
    };
    let failed = |path: &PathBuf| format!("can't write {path:?}");
    fs::create_dir_all(&directory).with_context(|| failed(&directory))?;
    for command in command.get_subcommands().chain([command]) {
        let man = manual(command);
        let path = directory.join(man.get_filename());
        fs::write(&path, page(&man, command)?).with_context(|| failed(&path))?;
        writeln!(io::stdout(), "wrote {path:?}")?;
    }
    Ok(())
}

fn manual(command: &Command) -> Man {
    Man::new(command.clone()).source(concat!("lockutils ", env!("CARGO_PKG_VERSION")))
}

/// A page. Its synopsis and the end of the help are not the library's, which leaves out that
/// there can be several of something and what stands before it, and knows no examples.
fn page(man: &Man, command: &Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(command).to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let end = command.get_after_long_help().map(ToString::to_string);
    sections(&end.unwrap_or_default()).to_writer(&mut page)?;
    Ok(page)
}

fn synopsis(command: &Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let arguments = usage.trim_start_matches("Usage: ").trim_start_matches(name);
    let mut roff = Roff::new();
    // For all of the page: what is to be typed isn't hyphenated or stretched.
    roff.control("nh", []);
    roff.control("ad", ["l"]);
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([bold(name), roman(arguments)]);
    roff
}

/// The end of the help. A line that is a title begins a section, and what follows the examples is
/// no example.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    let mut is_after_examples = false;
    for paragraph in text.trim().split("\n\n") {
        let (first, rest) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        let title = first.strip_suffix(':').filter(|_| rest.starts_with(' '));
        if let Some(title) = title {
            is_after_examples = title == "Examples";
            roff.control("SH", [&*title.to_uppercase()]);
            items(rest, &mut roff);
        } else {
            if is_after_examples {
                roff.control("SH", ["NOTES"]);
                is_after_examples = false;
            } else {
                roff.control("PP", []);
            }
            roff.text([roman(paragraph)]);
        }
    }
    roff
}

/// What is indented: a line for each, with its text behind it, or on lines that are indented
/// further.
fn items(text: &str, roff: &mut Roff) {
    for line in text.lines() {
        let mut explained = line.trim_start();
        if line.len() - explained.len() == 2 {
            let (item, rest) = explained.split_once("  ").unwrap_or((explained, ""));
            roff.control("TP", []);
            roff.text([bold(item)]);
            explained = rest.trim_start();
        }
        if !explained.is_empty() {
            roff.text([roman(explained)]);
        }
    }
}

/// Where `man` looks for the pages of one user.
fn own_pages() -> Option<PathBuf> {
    let data = match place::variable("XDG_DATA_HOME") {
        Some(data) => PathBuf::from(data),
        None => PathBuf::from(place::variable("HOME")?).join(".local/share"),
    };
    Some(data.join("man/man1"))
}

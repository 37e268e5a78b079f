//! `lockutils completions`: for shells.
//!
//! The script has the shell ask this command what can come next, each time that somebody presses
//! the key: so it knows the keys that there are, also in the directory that was named.

use crate::args::{Cli, CompletionsArgs, Place};
use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _};
use clap_complete::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Set by the script when it asks, to the name of the shell.
const ASKS: &str = "LOCKUTILS_COMPLETE";

pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitCode> {
    let shell = args.shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&shell).expect("the grammar has the same");
    let mut script = Vec::new();
    shell.write_registration(ASKS, "lockutils", "lockutils", "lockutils", &mut script)?;
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Answers a shell that asks what can come next, and ends.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Cli::command).var(ASKS).complete();
}

/// The keys that have a file, and begin as what is there already.
pub(crate) fn keys(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let keys = place().and_then(|place| place.locks().ok()?.existing().ok());
    let keys = keys.unwrap_or_default();
    let keys = keys.iter().filter(|key| key.as_str().starts_with(&*begun));
    keys.map(|key| CompletionCandidate::new(key.as_str()))
        .collect()
}

/// Where the keys are, as far as it has been typed.
fn place() -> Option<Place> {
    let words: Vec<OsString> = env::args_os().collect();
    let begin = words.iter().position(|word| word == "--")? + 1;
    let command = Cli::command().ignore_errors(true);
    let matches = command.try_get_matches_from(&words[begin..]).ok()?;
    Place::from_arg_matches(matches.subcommand()?.1).ok()
}

//! `lockutils completions`: for shells.
//!
//! The script has the shell ask this command what can come next, each time that somebody presses
//! the key: so it knows the keys that there are, also in the directory that was named. After the
//! two hyphens come a command that is in the path, and files.

use crate::args::{Cli, CompletionsArgs};
use crate::place::{Place, Source};
use anyhow::Result;
use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};
use clap_complete::engine::{PathCompleter, ValueCompleter as _};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

/// Set by the script when it asks, to the name of the shell.
const ASKS: &str = "LOCKUTILS_COMPLETE";

/// Set by the scripts of some shells, to which of the words it is; the last one by others.
const INDEX: &str = "_CLAP_COMPLETE_INDEX";

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
    CompleteEnv::with_factory(completed).var(ASKS).complete();
}

/// The grammar, with the values that there can be.
fn completed() -> Command {
    Cli::command().mut_subcommands(|subcommand| {
        let has_command = subcommand
            .get_arguments()
            .any(|arg| arg.get_id() == "command");
        subcommand.mut_args(|arg: Arg| match arg.get_id().as_str() {
            // The library takes what comes after the keys and the hyphens for more keys.
            "keys" if has_command => arg.add(ArgValueCompleter::new(|begun: &OsStr| {
                of_command(begun).unwrap_or_else(|| keys(begun))
            })),
            "keys" => arg.add(ArgValueCompleter::new(keys)),
            "command" => arg.add(ArgValueCompleter::new(|begun: &OsStr| {
                of_command(begun).unwrap_or_else(|| vec!["--".into()])
            })),
            "subcommand" => arg.add(ArgValueCandidates::new(subcommands)),
            _ => arg,
        })
    })
}

fn subcommands() -> Vec<CompletionCandidate> {
    let command = Cli::command();
    let names = command.get_subcommands().map(Command::get_name);
    names.map(CompletionCandidate::new).collect()
}

/// The keys that have a file, and begin as what is there already.
fn keys(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let keys = place().and_then(|place| place.locks().ok()?.existing().ok());
    let keys = keys.unwrap_or_default();
    let keys = keys.iter().filter(|key| key.as_str().starts_with(&*begun));
    keys.map(|key| CompletionCandidate::new(key.as_str()))
        .collect()
}

/// What a command is and what its arguments can be, after the two hyphens.
fn of_command(begun: &OsStr) -> Option<Vec<CompletionCandidate>> {
    let words = words();
    let index = env::var(INDEX).ok().and_then(|index| index.parse().ok());
    let index = index.unwrap_or(words.len().saturating_sub(1));
    let mut before = words.iter().take(index);
    before.find(|word| *word == "--")?;
    Some(match before.next() {
        Some(_) => PathCompleter::any().complete(begun),
        None if begun.as_encoded_bytes().contains(&b'/') => {
            PathCompleter::any().filter(is_program).complete(begun)
        }
        None => programs(begun),
    })
}

/// Those that are in the path.
fn programs(begun: &OsStr) -> Vec<CompletionCandidate> {
    let path = env::var_os("PATH").unwrap_or_default();
    let files = env::split_paths(&path).filter_map(|directory| fs::read_dir(directory).ok());
    let files = files.flatten().flatten().filter(|file| {
        let name = file.file_name();
        name.as_encoded_bytes()
            .starts_with(begun.as_encoded_bytes())
            && is_program(&file.path())
    });
    let mut names: Vec<_> = files.map(|file| file.file_name()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

fn is_program(path: &Path) -> bool {
    let found = fs::metadata(path);
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Where the keys are, as far as it has been typed; nowhere if they are a server's, which nobody who
/// presses a key waits for.
fn place() -> Option<Place> {
    let command = Cli::command().ignore_errors(true);
    let matches = command.try_get_matches_from(words()).ok()?;
    let (_, matches) = matches.subcommand()?;
    if matches.try_contains_id("on").is_err() {
        // The locks of this subcommand are files in any case.
        return Place::from_arg_matches(matches).ok();
    }
    let source = Source::from_arg_matches(matches).ok()?;
    matches!(source.server(), Ok(None)).then_some(source.files)
}

/// What has been typed, which comes after the script's own hyphens.
fn words() -> Vec<OsString> {
    let words = env::args_os().skip_while(|word| word != "--");
    words.skip(1).collect()
}

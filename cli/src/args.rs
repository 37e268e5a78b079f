//! What can be said to the command.

use crate::place::{Place, Source};
use crate::time::{duration, minute, second};
use crate::{exit, fill, hint};
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{
    Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint,
};
use clap_complete::Shell;
use std::env;
use std::ffi::OsString;
use std::time::Duration;

/// The end of a subcommand's `--help`: what is in the file, and the environment.
macro_rules! help {
    ($file:literal) => {
        concat!(
            include_str!(concat!("help/", $file)),
            include_str!("help/environment.txt")
        )
    };
}

/// Runs commands under locks that exclude other processes, and shows who holds which
#[derive(Parser)]
#[command(
    name = "lockutils",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_long_help = help!("lockutils.txt")
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(RunArgs),
    Ps(PsArgs),
    Why(WhyArgs),
    Top(TopArgs),
    Serve(ServeArgs),
    Profile(ProfileArgs),
    Record(RecordArgs),
    Rm(RmArgs),
    Sweep(SweepArgs),
    Wrap(WrapArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Run a command under a lock, or several
#[derive(Args)]
#[command(after_long_help = help!("run.txt"))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option that is given or not"
)]
pub(crate) struct RunArgs {
    /// Locks to hold; all of them or none, in one order for everybody
    #[arg(value_name = "KEY", required = true)]
    pub(crate) keys: Vec<OsString>,

    /// The command, with its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    pub(crate) command: Vec<OsString>,

    /// Give up after this time: `5s`, `2min`, `1h 30m`, or a number of seconds
    ///
    /// Without it, and without `--nonblock`, it waits as long as it takes. A server that hasn't answered by then is status 69.
    #[arg(short = 'w', long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,

    /// Give up at once if somebody holds the lock
    #[arg(short, long, conflicts_with = "timeout")]
    pub(crate) nonblock: bool,

    /// Hold the lock together with others who do so, and not with those who don't
    #[arg(short, long)]
    pub(crate) shared: bool,

    /// Exit status where it gives up
    #[arg(
        short = 'E',
        long,
        value_name = "STATUS",
        default_value_t = exit::CONFLICT
    )]
    pub(crate) conflict_exit_code: u8,

    /// Don't have the command keep the lock if this process is killed
    ///
    /// The command and what it starts have the lock's descriptor, for the lock to be held for as
    /// long as one of them runs. With this they haven't.
    #[arg(short = 'o', long)]
    pub(crate) close: bool,

    /// Say nothing about waiting and giving up
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// How long the server waits for a sign of life before it lets others have the lock; at least 1s
    ///
    /// It is no limit for the command: while that runs, the lock is renewed. 15s without it.
    #[arg(long, value_name = "TIME", value_parser = second, help_heading = "Locks of a server")]
    pub(crate) ttl: Option<Duration>,

    /// How long the command has from SIGTERM to SIGKILL when the lock is lost; 5s without it
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Locks of a server")]
    pub(crate) grace: Option<Duration>,

    #[command(flatten)]
    pub(crate) source: Source,
}

/// Show who holds which lock, and who waits
#[derive(Args)]
#[command(after_long_help = help!("ps.txt"))]
pub(crate) struct PsArgs {
    /// Locks to show, if they are held; without one, all of the directory or the server
    #[arg(value_name = "KEY")]
    pub(crate) keys: Vec<OsString>,

    /// What comes first
    #[arg(long, value_name = "BY", value_enum, default_value_t = Sort::Age)]
    pub(crate) sort: Sort,

    /// Show the locks in the memory of processes that serve as well
    #[arg(short, long, conflicts_with_all = ["on", "keys"])]
    pub(crate) all: bool,

    /// Print JSON: an array with an object for each lock
    #[arg(long)]
    pub(crate) json: bool,

    /// Show it anew each second, until `q` or Ctrl-C
    #[arg(long, conflicts_with = "json")]
    pub(crate) watch: bool,

    #[command(flatten)]
    pub(crate) source: Source,
}

/// Say why a process that runs is stuck
#[derive(Args)]
#[command(after_long_help = include_str!("help/why.txt"))]
pub(crate) struct WhyArgs {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// Print JSON: an object with the causes
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the locks of a process that runs, as they change
#[derive(Args)]
#[command(after_long_help = include_str!("help/top.txt"))]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
}

/// Show the locks of a process that runs in a browser
#[derive(Args)]
#[command(after_long_help = include_str!("help/serve.txt"))]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// The port on this host; without it, or with 0, one that is free
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) port: u16,
}

/// Say where in the code of a process that runs locks cost others their time
#[derive(Args)]
#[command(after_long_help = include_str!("help/profile.txt"))]
pub(crate) struct ProfileArgs {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// Only of so many seconds from now on; a minute at most
    #[arg(short, long, value_name = "N", value_parser = minute)]
    pub(crate) seconds: Option<Duration>,

    /// A file instead of the table: `.pb` for pprof, `.folded` for flame graphs, `.html` for a browser
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<OsString>,
}

/// Record who holds which lock of a process that runs, and who waits, as a timeline
#[derive(Args)]
#[command(after_long_help = include_str!("help/record.txt"))]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,

    /// For how long, in seconds; a minute at most
    #[arg(
        short,
        long,
        value_name = "N",
        value_parser = minute,
        default_value = "10",
        hide_default_value = true
    )]
    pub(crate) seconds: Duration,

    /// Only one key in so many
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=4096),
        default_value_t = 1,
        hide_default_value = true
    )]
    pub(crate) one_in: u32,

    /// The file, which ends in `.json`
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<OsString>,
}

/// Which process.
#[derive(Args)]
pub(crate) struct ServiceArgs {
    /// A process that serves: its id, its name, or the path of its socket; without it, the only one
    #[arg(value_name = "PID|NAME|SOCKET", value_hint = ValueHint::AnyPath)]
    pub(crate) service: Option<OsString>,
}

/// The order of a list of locks.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Sort {
    /// Held for longest
    Age,
    /// By their text
    Key,
    /// Of the process with the lowest id
    Pid,
    /// Awaited by most
    Waiters,
}

/// Remove the files of locks that nobody holds
#[derive(Args)]
#[command(after_long_help = help!("rm.txt"))]
pub(crate) struct RmArgs {
    /// The locks; one that can't be removed is no reason to keep the others
    #[arg(value_name = "KEY", required = true)]
    pub(crate) keys: Vec<OsString>,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Remove the files of all locks that nobody holds
#[derive(Args)]
#[command(after_long_help = help!("sweep.txt"))]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Run a command with a fresh lock directory of its own
#[derive(Args)]
#[command(after_long_help = include_str!("help/wrap.txt"))]
pub(crate) struct WrapArgs {
    /// The command, with its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    pub(crate) command: Vec<OsString>,
}

/// Print what has a shell complete the command's arguments
#[derive(Args)]
#[command(after_long_help = include_str!("help/completions.txt"))]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// Print the manual page
#[derive(Args)]
#[command(after_long_help = include_str!("help/man.txt"))]
pub(crate) struct ManArgs {
    /// The page of one subcommand
    pub(crate) subcommand: Option<String>,

    /// Write all pages, of the command and of each subcommand, into this directory
    ///
    /// Made if it is missing. Without a value it is where `man` looks for a user's own pages.
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        conflicts_with = "subcommand",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    pub(crate) install: Option<OsString>,
}

/// What was said, and the grammar of the subcommand.
pub(crate) fn parse() -> clap::error::Result<(Cli, clap::Command)> {
    let mut command = readable(Cli::command());
    let parsed = command.try_get_matches_from_mut(env::args_os());
    let matches = parsed.map_err(hinted)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    let subcommand = matches.subcommand_name();
    let subcommand = subcommand.and_then(|name| command.find_subcommand(name));
    Ok((cli, subcommand.expect("there is one").clone()))
}

/// With help that is as wide as the terminal.
fn readable(command: clap::Command) -> clap::Command {
    let width = fill::width();
    let fill = |command: clap::Command| {
        let end = command.get_after_long_help().map(ToString::to_string);
        command.after_long_help(fill::filled(&end.unwrap_or_default(), width))
    };
    fill(command).mut_subcommands(fill).term_width(width)
}

/// Adds a hint where the two hyphens before a command were forgotten.
fn hinted(mut error: clap::Error) -> clap::Error {
    let words: Vec<_> = env::args_os().skip(1).collect();
    let kinds = [
        ErrorKind::MissingRequiredArgument,
        ErrorKind::UnknownArgument,
    ];
    if kinds.contains(&error.kind())
        && let Some(hint) = hint::of(&words)
    {
        let hints = vec![StyledStr::from(hint)];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(hints));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar_is_sound() {
        Cli::command().debug_assert();
    }

    /// What the help has people type, up to where the shell's part begins.
    #[test]
    fn examples_of_the_help_are_understood() {
        let mut command = Cli::command();
        let help: Vec<_> = command
            .get_subcommands()
            .chain([&command])
            .filter_map(|command| Some(command.get_after_long_help()?.to_string()))
            .collect();
        let lines = help.iter().flat_map(|help| help.lines());
        let examples: Vec<_> = lines
            .filter(|line| line.starts_with("  lockutils "))
            .map(|line| line.split(['|', '>']).next().expect("a part"))
            .collect();
        assert!(examples.len() > 20);
        for example in examples {
            let words = example
                .split_whitespace()
                .map(|word| word.trim_matches('"'));
            let parsed = command.try_get_matches_from_mut(words);
            assert!(parsed.is_ok(), "{example}: {parsed:?}");
        }
    }
}

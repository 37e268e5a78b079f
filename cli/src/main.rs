//! The `lockutils` command.
//!
//! [`args`] is the grammar, with the [`place`] of the lock files, a [`hint`] where something
//! was forgotten and help that is [`fill`]ed into the terminal, and each subcommand a file: [`run`] and [`wrap`] start a [`child`],
//! the first under a lock, which is [taken](taking) of files or of a [server](remote), and while it
//! waits for that, [`waiting`] shows for whom, unless it is for an [`ancestor`], and for ever; a child is
//! [`launch`]ed as if nobody were between, and has each [`signal`] that a [`witness`] says it
//! hasn't got yet, as soon as the [`process`] that sent it can't send more; [`ps`] shows who holds what, as a [`table`], once or on a [`screen`], with the
//! [`holder`]s in people's terms and the [`waiters`]; a process that serves its locks is a
//! [`service`], whose [`answer`]s [`why`] prints, and [`top`] and, in a browser, [`serve`] show as they change,
//! and of which [`profile`] and [`record`] write what they cost and a timeline to their [`output`];
//! [`rm`] and [`sweep`] remove files; [`completions`] and [`man`] are generated. [`exit`] has
//! the exit statuses.

#![forbid(unsafe_code)]
#![expect(
    clippy::unnecessary_debug_formatting,
    reason = "a name in quotes, and escaped, can't have the terminal do something"
)]

mod ancestor;
mod answer;
mod args;
mod child;
mod completions;
mod exit;
mod fill;
mod fit;
mod follow;
mod hint;
mod holder;
mod launch;
mod listing;
mod man;
mod output;
mod place;
mod process;
mod profile;
mod ps;
mod record;
mod remote;
mod rm;
mod run;
mod screen;
mod serve;
mod service;
mod signal;
mod socket;
mod sweep;
mod table;
mod taking;
mod time;
mod top;
mod waiters;
mod waiting;
mod why;
mod witness;
mod wrap;

use anyhow::Result;
use args::Command;
use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    act().unwrap_or_else(|error| exit::report(&error))
}

fn act() -> Result<ExitCode> {
    match env::args_os().next() {
        Some(name) if name == launch::NAME => return Err(launch::launch().into()),
        Some(name) if name == witness::NAME => return Ok(witness::attend()),
        _ => {}
    }
    completions::answer();
    let (cli, mut subcommand) = args::parse()?;
    let done = match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Ps(args) => ps::run(args),
        Command::Why(args) => why::run(args),
        Command::Top(args) => top::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Profile(args) => profile::run(args),
        Command::Record(args) => record::run(args),
        Command::Rm(args) => rm::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Wrap(args) => wrap::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    };
    done.map_err(|error| match error.downcast::<clap::Error>() {
        Ok(usage) => usage.format(&mut subcommand).into(),
        Err(error) => error,
    })
}

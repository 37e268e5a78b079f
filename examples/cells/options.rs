//! The command line.

use super::way::Lock;
use clap::{Args, Parser, Subcommand, value_parser};
use std::path::PathBuf;

/// Serves the same requests by tasks, threads and processes, without a lock and with
/// `#[synchronized]`, and prints how many connections were opened; then has processes
/// make the same databases, and hosts of a fleet migrate them, and prints how often they did.
#[derive(Parser)]
#[command(
    name = "cells",
    verbatim_doc_comment,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 if the runs with the lock did what was meant, 1 if they didn't or\n\
                  something failed, 2 if an option is wrong."
)]
pub(crate) struct Options {
    /// Cells, each a database of its own, 1 to 500
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..=500))]
    pub(crate) cells: u32,

    /// Requests in each run, 1 to 1000000
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) requests: u32,

    /// Processes that share them, or make the databases, or hosts that migrate them, 1 to 32
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u32).range(1..=32))]
    pub(crate) workers: u32,

    /// Server of the fleet's locks; by default one in the memory of this process
    ///
    /// As `postgres://user@host/database`, `etcd://host:2379` or `redis://host`.
    #[arg(long, value_name = "URL", default_value = "memory://cells")]
    pub(crate) fleet: String,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serves a share of the requests; the program starts itself with this.
    #[command(hide = true)]
    Worker(Share),
    /// Makes the databases of all cells, beside others; the same.
    #[command(hide = true)]
    Make(Task),
    /// Migrates the databases of all cells, beside others; the same.
    #[command(hide = true)]
    Migrate(Task),
}

/// What a worker process is told.
#[derive(Args, Clone)]
pub(crate) struct Share {
    /// Where the cell mappings are
    pub(crate) directory: PathBuf,
    /// How many requests to serve
    pub(crate) requests: u32,
    pub(crate) lock: Lock,
}

/// What a worker process is told that makes databases.
#[derive(Args, Clone)]
pub(crate) struct Task {
    /// Where the cell mappings are
    pub(crate) directory: PathBuf,
    pub(crate) lock: Lock,
    /// Stop when the first database is half made
    #[arg(long)]
    pub(crate) stop_half_way: bool,
}

//! Where the runs happen: a temporary directory with the cells' databases, and the bus.

use super::bus::Bus;
use super::cell::{self, CellMapping};
use super::fleet::{Fleet, Late};
use super::host::{self, Outcome, Rescue};
use super::options::{Options, Share};
use super::requests::Requests;
use super::way::{Lock, Way};
use super::worker;
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use std::fs;
use std::path::Path;
use std::process;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) struct Site {
    cells: Vec<CellMapping>,
    bus: Bus,
    /// Removed with all that is in it when the site is dropped.
    directory: TempDir,
}

/// What came out of a run.
pub(crate) struct Run {
    pub(crate) opened: u32,
    pub(crate) time: Duration,
}

impl Site {
    pub(crate) fn create(options: &Options) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("lockutils-cells-")
            .tempdir()
            .context("cannot create a temporary directory")?;
        remove_when_interrupted(&directory)?;
        let bus = Bus::start()?;
        let cells = cell::create(directory.path(), options.cells, bus.address())?;
        Ok(Self {
            cells,
            bus,
            directory,
        })
    }

    /// Serves all requests one way, and counts what that opened.
    pub(crate) fn measure(
        &mut self,
        way: Way,
        lock: Lock,
        options: &Options,
        progress: &ProgressBar,
    ) -> Result<Run> {
        let started = Instant::now();
        let outcome = self.serve(way, lock, options, progress);
        let time = started.elapsed();
        // Asked first: if the bus failed, then the clients' failures come from that.
        let opened = self.bus.take_opened()?;
        outcome.with_context(|| format!("{way}, lock {lock}"))?;
        Ok(Run { opened, time })
    }

    /// Has worker processes make the databases of as many cells again, all at once.
    pub(crate) fn make_databases(&self, lock: Lock, options: &Options) -> Result<Outcome> {
        let directory = self.directory.path().join(format!("made, lock {lock}"));
        let cells = self.map(&directory, options.cells)?;
        host::make_all(&directory, &cells, lock, options.workers)
            .with_context(|| format!("making databases, lock {lock}"))
    }

    /// Has a worker process be killed that has made one half-way, and another one finish it.
    pub(crate) fn kill_half_way(&self) -> Result<Rescue> {
        let directory = self.directory.path().join("half made");
        let cells = self.map(&directory, 1)?;
        host::kill_half_way(&directory, &cells[0]).context("killing a worker process half-way")
    }

    /// Has hosts migrate the databases of as many cells again, all at once.
    pub(crate) fn migrate_databases(&self, lock: Lock, options: &Options) -> Result<Outcome> {
        let directory = self.directory.path().join(format!("migrated, lock {lock}"));
        let cells = self.seed(&directory, options.cells)?;
        let fleet = Fleet {
            server: &options.fleet,
            directory: &directory,
            cells: &cells,
        };
        let migrated = fleet.migrate_all(lock, options.workers);
        migrated.with_context(|| format!("migrating databases, lock {lock}"))
    }

    /// Has a host be stopped that has migrated one half-way, and come too late.
    pub(crate) fn stop_half_way(&self, options: &Options) -> Result<Late> {
        let directory = self.directory.path().join("half migrated");
        let cells = self.seed(&directory, 1)?;
        let fleet = Fleet {
            server: &options.fleet,
            directory: &directory,
            cells: &cells,
        };
        fleet.stop_half_way().context("stopping a host half-way")
    }

    fn seed(&self, directory: &Path, count: u32) -> Result<Vec<CellMapping>> {
        fs::create_dir(directory).context("cannot create a directory for the databases")?;
        cell::create(directory, count, self.bus.address())
    }

    fn map(&self, directory: &Path, count: u32) -> Result<Vec<CellMapping>> {
        fs::create_dir(directory).context("cannot create a directory for the databases")?;
        cell::map(directory, count, self.bus.address())
    }

    fn serve(&self, way: Way, lock: Lock, options: &Options, progress: &ProgressBar) -> Result<()> {
        let requests =
            || Requests::new(self.cells.clone(), options.requests, lock, progress.clone());
        match way {
            Way::OneThread => requests().serve_on_one_thread(),
            Way::ManyThreads { threads } => requests().serve_on_threads(threads),
            Way::NativeThreads => requests().serve_by_native_threads(),
            Way::Processes { .. } => {
                let share = |requests| Share {
                    directory: self.directory.path().to_owned(),
                    requests,
                    lock,
                };
                let shares: Vec<_> = way.shares(options).into_iter().map(share).collect();
                worker::run(&shares, progress)
            }
        }
    }
}

/// Sees to it that Ctrl-C and SIGTERM leave nothing behind either.
fn remove_when_interrupted(directory: &TempDir) -> Result<()> {
    let path = directory.path().to_owned();
    ctrlc::set_handler(move || {
        // The process ends here, so nobody is left to tell of a failure.
        let _ = fs::remove_dir_all(&path);
        process::exit(130);
    })
    .context("cannot handle Ctrl-C")
}

//! Why is there a lock? OpenStack Nova's cell cache, on real databases.
//!
//! Nova shards its databases into cells. A service that needs a cell looks for it in a
//! cache, and where the cache has nothing, opens the cell's database and a connection to
//! the cell's message bus, and stores both. Opening is I/O: a task gives way there, and a
//! thread is put to sleep. Meanwhile others find the cache as empty as the first one did.
//!
//! This program seeds cells, each an SQLite file, starts a message bus on a loopback
//! port, and serves the same requests four ways, each without a lock and with one. The
//! bus counts what was really opened. Every answer is compared with what was seeded.
//!
//! ```text
//! cargo run --release --example cells
//! cargo run --release --example cells -- --help
//! ```

#[path = "cells/bus.rs"]
mod bus;
#[path = "cells/cell.rs"]
mod cell;
#[path = "cells/connections.rs"]
mod connections;
#[path = "cells/database.rs"]
mod database;
#[path = "cells/limit.rs"]
mod limit;
#[path = "cells/options.rs"]
mod options;
#[path = "cells/report.rs"]
mod report;
#[path = "cells/site.rs"]
mod site;
#[path = "cells/way.rs"]
mod way;
#[path = "cells/worker.rs"]
mod worker;

use crate::cell::CellMapping;
use crate::connections::Connections;
use crate::options::{Command, Options};
use crate::report::{Report, Row};
use crate::site::Site;
use crate::way::{Lock, Way};
use anyhow::{Result, ensure};
use clap::Parser;
use lockutils::synchronized;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use uuid::Uuid;

/// What this process has open: the uuid of a cell -> its database and its bus.
static CELL_CACHE: Mutex<BTreeMap<Uuid, Arc<Connections>>> = Mutex::new(BTreeMap::new());

/// Connects to a cell, once: one caller at a time for each cell.
#[synchronized(key = cell.uuid)]
async fn connect(cell: &CellMapping) -> Result<Arc<Connections>> {
    connect_unlocked(cell).await
}

/// The same without the lock.
async fn connect_unlocked(cell: &CellMapping) -> Result<Arc<Connections>> {
    if let Some(connections) = CELL_CACHE.lock().get(&cell.uuid) {
        return Ok(Arc::clone(connections));
    }
    // The task gives way here, and without the lock another one comes in above.
    let connections = Arc::new(Connections::open(cell).await?);
    CELL_CACHE
        .lock()
        .insert(cell.uuid, Arc::clone(&connections));
    Ok(connections)
}

/// [`connect`], for threads. The two exclude each other as well: a key is a key.
#[synchronized(key = cell.uuid)]
fn connect_blocking(cell: &CellMapping) -> Result<Arc<Connections>> {
    connect_blocking_unlocked(cell)
}

/// The same without the lock.
fn connect_blocking_unlocked(cell: &CellMapping) -> Result<Arc<Connections>> {
    if let Some(connections) = CELL_CACHE.lock().get(&cell.uuid) {
        return Ok(Arc::clone(connections));
    }
    // The thread sleeps here, and without the lock another one comes in above.
    let connections = Arc::new(Connections::open_blocking(cell)?);
    CELL_CACHE
        .lock()
        .insert(cell.uuid, Arc::clone(&connections));
    Ok(connections)
}

/// Serves the same requests every way, and says what was opened.
fn compare(options: &Options) -> Result<()> {
    limit::allow_open_files(options)?;
    let mut site = Site::create(options)?;
    let progress = report::progress(options);

    let mut report = Report::default();
    for way in Way::all(options) {
        for lock in [Lock::None, Lock::PerCell] {
            progress.set_message(format!("{way}, lock: {lock}"));
            let run = site.measure(way, lock, options, &progress)?;
            report.push(Row::new(way, lock, options, run));
            CELL_CACHE.lock().clear();
        }
    }
    progress.finish_and_clear();

    report.print()?;
    ensure!(
        report.lock_held(),
        "a run with the lock didn't open what was meant"
    );
    Ok(())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.command {
        None => compare(&options),
        Some(Command::Worker(share)) => worker::serve(share),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

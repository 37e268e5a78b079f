//! Why is there a lock? OpenStack Nova's cell cache, on real databases.
//!
//! Nova shards its databases into cells. A service that needs a cell looks for it in a
//! cache, and where the cache has nothing, opens the cell's database and a connection to
//! the cell's message bus, and stores both. Opening is I/O: a task gives way there, and a
//! thread is put to sleep. Meanwhile others find the cache as empty as the first one did.
//!
//! This program seeds cells, each an SQLite file, starts a message bus on a loopback
//! port, and serves the same requests four ways, each without a lock and with one. The
//! bus counts what was really opened: one connection is meant for each cell in each
//! process, and any further one, which no cache remembers, counts as leaked. Every answer
//! is compared with what was seeded.
//!
//! A cache is a process's own. The databases themselves exist once on the host, and so it is
//! between processes that their making is a matter for a lock: worker processes come to make
//! them, all at the same time, without a lock and with one that is a file. One is killed when
//! it has done half of it.
//!
//! And where the same databases are those of many hosts, a file is of no use: hosts come to migrate
//! them, without a lock and with one that is a server's. Such a lock can be lost. So one host is
//! stopped for longer than the server waits for it, and the database refuses what it writes
//! when it wakes up.
//!
//! ```text
//! cargo run --release --example cells
//! cargo run --release --example cells -- --fleet redis://127.0.0.1
//! cargo run --release --example cells -- --help
//! ```

use crate::cells::cell::CellMapping;
use crate::cells::connections::Connections;
use crate::cells::making::Making;
use crate::cells::member::{self, Member};
use crate::cells::migrating::Migrating;
use crate::cells::options::{Command, Options};
use crate::cells::report::{self, Report, Row};
use crate::cells::site::Site;
use crate::cells::way::{Lock, Way};
use crate::cells::{database, host, limit, migration, worker};
use anyhow::{Result, ensure};
use clap::Parser;
use lockutils::{Fence, synchronized};
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

/// Makes the database of a cell, once on the host: one process at a time for each cell.
/// Says whether it was this one.
#[synchronized(key = cell.uuid, external)]
fn make(cell: &CellMapping) -> Result<bool> {
    make_unlocked(cell)
}

/// The same without the lock.
fn make_unlocked(cell: &CellMapping) -> Result<bool> {
    if database::is_complete(cell)? {
        return Ok(false);
    }
    // It isn't there, or somebody was killed half-way. Or, without the lock, is still at it.
    database::begin(cell)?;
    host::half_way()?;
    database::finish(cell)?;
    Ok(true)
}

/// Migrates the database of a cell, once in the fleet: one host at a time for each cell. Says
/// whether it was this one.
///
/// If the lock is lost meanwhile, the body is dropped where it awaits. What it can't be kept from
/// writing, the database refuses: each write brings the fence of the hold.
#[synchronized(key = cell.uuid, locks = host.locks, cancel_on_loss, guard = lease)]
async fn migrate(cell: &CellMapping, host: &Member) -> Result<bool> {
    migrate_unlocked(cell, host, Some(lease.fence())).await
}

/// The same without the lock, and so without a fence.
async fn migrate_unlocked(cell: &CellMapping, host: &Member, fence: Option<Fence>) -> Result<bool> {
    if !migration::begin(cell, fence)? {
        return Ok(false);
    }
    host.half_way().await?;
    migration::finish(cell, fence)?;
    Ok(true)
}

/// The supporting cast, in the folder of that name.
mod cells {
    pub(crate) mod bus;
    pub(crate) mod cell;
    pub(crate) mod connections;
    pub(crate) mod database;
    pub(crate) mod fleet;
    pub(crate) mod host;
    pub(crate) mod limit;
    pub(crate) mod making;
    pub(crate) mod member;
    pub(crate) mod migrating;
    pub(crate) mod migration;
    pub(crate) mod options;
    pub(crate) mod report;
    pub(crate) mod requests;
    pub(crate) mod site;
    pub(crate) mod way;
    pub(crate) mod worker;
}

/// Serves the same requests every way, and says what was opened.
fn compare(options: &Options) -> Result<()> {
    limit::allow_open_files(options)?;
    member::reach(&options.fleet)?;
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
    progress.set_message("databases, by processes");
    let making = Making::new(
        options,
        site.make_databases(Lock::None, options)?,
        site.make_databases(Lock::PerCell, options)?,
        site.kill_half_way()?,
    );
    progress.set_message("databases, by hosts");
    let migrating = Migrating::new(
        options,
        site.migrate_databases(Lock::None, options)?,
        site.migrate_databases(Lock::PerCell, options)?,
        site.stop_half_way(options)?,
    );
    progress.finish_and_clear();

    report.print(&making, &migrating)?;
    ensure!(
        report.lock_held() && making.lock_held() && migrating.lock_held(),
        "a run with the lock didn't do what was meant"
    );
    Ok(())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.command {
        None => compare(&options),
        Some(Command::Worker(share)) => worker::serve(share),
        Some(Command::Make(task)) => host::serve(task),
        Some(Command::Migrate(task)) => member::serve(task),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

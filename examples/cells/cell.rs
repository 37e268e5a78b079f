//! What a service knows of a cell before it connects: its mapping, as Nova's API database
//! keeps it.
//!
//! The mappings are in a database of their own, which is how the worker processes learn
//! of the cells.

use super::database;
use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags, params};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The file that has the mappings.
const API_DATABASE: &str = "api.sqlite";

/// Where a cell is.
#[derive(Clone, Debug)]
pub(crate) struct CellMapping {
    pub(crate) uuid: Uuid,
    pub(crate) database_connection: PathBuf,
    pub(crate) transport_url: SocketAddr,
}

/// Creates cells in a directory: a seeded database each, and the mappings of all.
pub(crate) fn create(directory: &Path, count: u32, bus: SocketAddr) -> Result<Vec<CellMapping>> {
    let cells = map(directory, count, bus)?;
    for cell in &cells {
        database::begin(cell)?;
        database::finish(cell)?;
    }
    Ok(cells)
}

/// Writes down mappings of cells whose databases are still to be made.
pub(crate) fn map(directory: &Path, count: u32, bus: SocketAddr) -> Result<Vec<CellMapping>> {
    let cells: Vec<_> = (0..count)
        .map(|_| CellMapping::new(directory, Uuid::new_v4(), bus))
        .collect();
    store(directory, &cells).context("cannot write down the cell mappings")?;
    Ok(cells)
}

/// Reads the mappings that [`map`] made.
pub(crate) fn load(directory: &Path) -> Result<Vec<CellMapping>> {
    read(directory)
        .with_context(|| format!("cannot read the cell mappings in `{}`", directory.display()))
}

impl CellMapping {
    fn new(directory: &Path, uuid: Uuid, transport_url: SocketAddr) -> Self {
        Self {
            uuid,
            database_connection: directory.join(format!("cell-{uuid}.sqlite")),
            transport_url,
        }
    }
}

fn store(directory: &Path, cells: &[CellMapping]) -> Result<()> {
    let mut api = Connection::open(directory.join(API_DATABASE))?;
    let transaction = api.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE cell_mappings (id INTEGER PRIMARY KEY, uuid TEXT, transport_url TEXT)",
    )?;
    for cell in cells {
        transaction.execute(
            "INSERT INTO cell_mappings (uuid, transport_url) VALUES (?, ?)",
            params![cell.uuid.to_string(), cell.transport_url.to_string()],
        )?;
    }
    Ok(transaction.commit()?)
}

fn read(directory: &Path) -> Result<Vec<CellMapping>> {
    let api = Connection::open_with_flags(
        directory.join(API_DATABASE),
        OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?;
    let mut select = api.prepare("SELECT uuid, transport_url FROM cell_mappings ORDER BY id")?;
    let rows = select.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    rows.map(|row| {
        let (uuid, transport_url) = row?;
        Ok(CellMapping::new(
            directory,
            uuid.parse()?,
            transport_url.parse()?,
        ))
    })
    .collect()
}

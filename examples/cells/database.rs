//! The database of a cell: an SQLite file with the instances that run in it.

use super::cell::CellMapping;
use anyhow::{Context, Result, ensure};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, params};
use std::ops::Range;
use uuid::Uuid;

/// How many instances a cell has; their ids are `0..INSTANCES`.
pub(crate) const INSTANCES: u32 = 100;

/// A row of a cell's database.
#[derive(Debug, PartialEq)]
pub(crate) struct Instance {
    id: u32,
    host: String,
    memory_mb: u32,
}

impl Instance {
    /// What was seeded: different in every cell, so that an answer of another cell shows.
    pub(crate) fn seeded(cell: Uuid, id: u32) -> Self {
        Self {
            id,
            host: format!("compute-{}.{cell}", id % 7),
            memory_mb: 512 * (1 + id % 16),
        }
    }
}

/// Makes the first half of a cell's database: the table, anew, and half of its rows.
pub(crate) fn begin(cell: &CellMapping) -> Result<()> {
    let begin = || -> rusqlite::Result<()> {
        let mut connection = open_to_write(cell)?;
        connection.execute_batch(
            "DROP TABLE IF EXISTS instances;
             CREATE TABLE instances (id INTEGER PRIMARY KEY, host TEXT, memory_mb INTEGER)",
        )?;
        insert(&mut connection, cell, 0..INSTANCES / 2)
    };
    begin().with_context(|| about("make", cell))
}

/// Makes the second half: the other rows.
pub(crate) fn finish(cell: &CellMapping) -> Result<()> {
    open_to_write(cell)
        .and_then(|mut connection| insert(&mut connection, cell, INSTANCES / 2..INSTANCES))
        .with_context(|| about("finish", cell))
}

pub(crate) fn open_to_write(cell: &CellMapping) -> rusqlite::Result<Connection> {
    let connection = Connection::open(&cell.database_connection)?;
    // The file lives as long as this program: it needn't survive a power cut.
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

fn insert(
    connection: &mut Connection,
    cell: &CellMapping,
    ids: Range<u32>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for id in ids {
        let instance = Instance::seeded(cell.uuid, id);
        transaction.execute(
            "INSERT INTO instances VALUES (?, ?, ?)",
            params![instance.id, instance.host, instance.memory_mb],
        )?;
    }
    transaction.commit()
}

/// Whether the database of a cell is there, with all of its rows.
pub(crate) fn is_complete(cell: &CellMapping) -> Result<bool> {
    let count = || -> rusqlite::Result<u32> {
        let connection = Connection::open_with_flags(
            &cell.database_connection,
            OpenFlags::SQLITE_OPEN_READ_ONLY,
        )?;
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'instances'";
        match connection.query_one(tables, [], |row| row.get::<_, u32>(0))? {
            0 => Ok(0),
            _ => connection.query_one("SELECT count(*) FROM instances", [], |row| row.get(0)),
        }
    };
    if !cell.database_connection.exists() {
        return Ok(false);
    }
    let count = count().with_context(|| about("look into", cell))?;
    Ok(count == INSTANCES)
}

fn about(doing: &str, cell: &CellMapping) -> String {
    let database = cell.database_connection.display();
    format!("cannot {doing} the database `{database}`")
}

/// An open database. Its calls block.
pub(crate) struct Database {
    connection: Mutex<Connection>,
}

impl Database {
    /// Opens the database of a cell, and makes sure that it has its rows.
    pub(crate) fn open(cell: &CellMapping) -> Result<Self> {
        let open = || {
            let connection = Connection::open_with_flags(
                &cell.database_connection,
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?;
            let count: u32 =
                connection.query_one("SELECT count(*) FROM instances", [], |row| row.get(0))?;
            ensure!(count == INSTANCES, "it has {count} rows, not {INSTANCES}");
            Ok(Self {
                connection: Mutex::new(connection),
            })
        };
        open().with_context(|| about("open", cell))
    }

    /// Reads one instance.
    pub(crate) fn instance(&self, id: u32) -> Result<Instance> {
        let connection = self.connection.lock();
        connection
            .prepare_cached("SELECT id, host, memory_mb FROM instances WHERE id = ?")
            .and_then(|mut select| {
                select.query_one([id], |row| {
                    Ok(Instance {
                        id: row.get(0)?,
                        host: row.get(1)?,
                        memory_mb: row.get(2)?,
                    })
                })
            })
            .with_context(|| format!("cannot read instance {id}"))
    }
}

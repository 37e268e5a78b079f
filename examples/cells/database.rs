//! The database of a cell: an SQLite file with the instances that run in it.

use super::cell::CellMapping;
use anyhow::{Context, Result, ensure};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, params};
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

/// Creates the database of a cell.
pub(crate) fn seed(cell: &CellMapping) -> Result<()> {
    let insert = || -> rusqlite::Result<()> {
        let mut connection = Connection::open(&cell.database_connection)?;
        // The file lives as long as this program: it needn't survive a power cut.
        connection.pragma_update(None, "synchronous", "OFF")?;
        let transaction = connection.transaction()?;
        transaction.execute_batch(
            "CREATE TABLE instances (id INTEGER PRIMARY KEY, host TEXT, memory_mb INTEGER)",
        )?;
        for id in 0..INSTANCES {
            let instance = Instance::seeded(cell.uuid, id);
            transaction.execute(
                "INSERT INTO instances VALUES (?, ?, ?)",
                params![instance.id, instance.host, instance.memory_mb],
            )?;
        }
        transaction.commit()
    };
    insert().with_context(|| {
        format!(
            "cannot seed the database `{}`",
            cell.database_connection.display()
        )
    })
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
        open().with_context(|| {
            format!(
                "cannot open the database `{}`",
                cell.database_connection.display()
            )
        })
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

//! The migration of a cell's database to its second version: each instance knows its cell.
//!
//! SQLite has it done by a new table, which takes the place of the old one when all is copied. Who
//! migrates can leave the fencing token of the lock along with each write: the database keeps the
//! greatest that it has seen, and refuses whoever comes with a smaller one.

use super::cell::CellMapping;
use super::database::{self, INSTANCES};
use anyhow::{Context, Result, ensure};
use lockutils::Fence;
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// What a database says that has been migrated.
const VERSION: u32 = 2;

const CREATE: &str = "DROP TABLE IF EXISTS migrated;
    CREATE TABLE migrated (id INTEGER PRIMARY KEY, host TEXT, memory_mb INTEGER, cell TEXT)";

/// Begins anew, also where somebody has left it half-done: the new table, and half of its rows. Says
/// whether there was anything to do.
pub(crate) fn begin(cell: &CellMapping, fence: Option<Fence>) -> Result<bool> {
    let half = INSTANCES / 2;
    write(cell, fence, |transaction| {
        if version(transaction)? == VERSION {
            return Ok(false);
        }
        transaction.execute_batch(CREATE)?;
        copy(transaction, cell, &format!("id < {half}"))?;
        Ok(true)
    })
    .with_context(|| about("migrate", cell))
}

/// The other half; and the new table takes the place of the old one.
pub(crate) fn finish(cell: &CellMapping, fence: Option<Fence>) -> Result<()> {
    let half = INSTANCES / 2;
    let replace = format!(
        "DROP TABLE instances;
         ALTER TABLE migrated RENAME TO instances;
         PRAGMA user_version = {VERSION}"
    );
    write(cell, fence, |transaction| {
        copy(transaction, cell, &format!("id >= {half}"))?;
        transaction.execute_batch(&replace)
    })
    .with_context(|| about("finish the migration of", cell))
}

/// Whether it was migrated, and has all of its rows.
pub(crate) fn is_complete(cell: &CellMapping) -> Result<bool> {
    let found = Connection::open(&cell.database_connection).and_then(|found| version(&found));
    let found = found.with_context(|| about("look into", cell))?;
    Ok(found == VERSION && database::is_complete(cell)?)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    let version = "SELECT user_version FROM pragma_user_version";
    connection.query_one(version, [], |row| row.get(0))
}

fn copy(transaction: &Transaction, cell: &CellMapping, which: &str) -> rusqlite::Result<()> {
    let copy = "INSERT INTO migrated SELECT id, host, memory_mb, ? FROM instances WHERE";
    let copied = transaction.execute(&format!("{copy} {which}"), [cell.uuid.to_string()]);
    copied.map(drop)
}

/// Leaves the fence, and reads and writes in the same transaction: a look at the fence before that
/// would be too early.
fn write<T>(
    cell: &CellMapping,
    fence: Option<Fence>,
    change: impl FnOnce(&Transaction) -> rusqlite::Result<T>,
) -> Result<T> {
    let mut connection = database::open_to_write(cell)?;
    let transaction = Transaction::new(&mut connection, TransactionBehavior::Immediate)?;
    if let Some(fence) = fence {
        leave(&transaction, fence)?;
    }
    let changed = change(&transaction)?;
    transaction.commit()?;
    Ok(changed)
}

/// Leaves the fence in the database, unless that has seen a greater one.
fn leave(transaction: &Transaction, fence: Fence) -> Result<()> {
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS fence (id INTEGER PRIMARY KEY CHECK (id = 1), greatest INTEGER)",
    )?;
    let left = transaction.execute(
        "INSERT INTO fence VALUES (1, ?1)
         ON CONFLICT (id) DO UPDATE SET greatest = ?1 WHERE greatest <= ?1",
        [i64::try_from(fence)?],
    )?;
    ensure!(left == 1, "{REFUSED} {fence}");
    Ok(())
}

/// What is said to who comes too late, before the fence that was brought.
pub(crate) const REFUSED: &str = "the database has seen a greater fence than";

fn about(doing: &str, cell: &CellMapping) -> String {
    let database = cell.database_connection.display();
    format!("cannot {doing} the database `{database}`")
}

//! What is open to a cell: its database and its message bus.

use super::bus;
use super::cell::CellMapping;
use super::database::{Database, Instance};
use anyhow::{Context, Result};
use std::net::TcpStream;
use std::sync::Arc;
use tokio::task;

/// The pair that `CELL_CACHE` remembers.
pub(crate) struct Connections {
    database: Database,
    #[expect(
        dead_code,
        reason = "being open is its purpose; these requests only read"
    )]
    bus: TcpStream,
}

impl Connections {
    /// Opens both. SQLite blocks, so it is called on Tokio's threads for that.
    pub(crate) async fn open(cell: &CellMapping) -> Result<Self> {
        let database = {
            let cell = cell.clone();
            off_the_runtime(move || Database::open(&cell)).await?
        };
        let bus = bus::connect(cell)
            .await?
            .into_std()
            .with_context(|| format!("cannot keep the bus connection of cell `{}`", cell.uuid))?;
        Ok(Self { database, bus })
    }

    /// [`Connections::open`], for threads.
    pub(crate) fn open_blocking(cell: &CellMapping) -> Result<Self> {
        Ok(Self {
            database: Database::open(cell)?,
            bus: bus::connect_blocking(cell)?,
        })
    }

    /// Reads one instance from the cell's database.
    pub(crate) async fn instance(self: Arc<Self>, id: u32) -> Result<Instance> {
        off_the_runtime(move || self.instance_blocking(id)).await
    }

    /// [`Connections::instance`], for threads.
    pub(crate) fn instance_blocking(&self, id: u32) -> Result<Instance> {
        self.database.instance(id)
    }
}

async fn off_the_runtime<T: Send + 'static>(
    call: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    task::spawn_blocking(call)
        .await
        .context("a database call panicked")?
}

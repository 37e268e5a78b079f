//! Serving the requests of a run, in one process.
//!
//! [`IN_FLIGHT`] requests are in flight, as in a busy service: there are so many tasks or
//! threads, each of which takes the next request when it is done with one. Consecutive
//! requests are for different cells.

use super::cell::CellMapping;
use super::database::{INSTANCES, Instance};
use super::way::Lock;
use crate::{connect, connect_blocking, connect_blocking_unlocked, connect_unlocked};
use anyhow::{Context, Result, anyhow, ensure};
use indicatif::ProgressBar;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use tokio::runtime;
use tokio::task::JoinSet;

/// How many requests are in flight at once, in each process.
pub(crate) const IN_FLIGHT: u32 = 64;

/// The requests of one run in one process, and what they need.
pub(crate) struct Requests {
    cells: Vec<CellMapping>,
    lock: Lock,
    next: AtomicU32,
    end: u32,
    progress: ProgressBar,
}

/// Which instance is that, in that cell?
struct Request<'a> {
    cell: &'a CellMapping,
    instance: u32,
}

impl Requests {
    pub(crate) fn new(
        cells: Vec<CellMapping>,
        count: u32,
        lock: Lock,
        progress: ProgressBar,
    ) -> Self {
        Self {
            cells,
            lock,
            next: AtomicU32::new(0),
            end: count,
            progress,
        }
    }

    /// Serves them by tasks on a runtime of one thread.
    pub(crate) fn serve_on_one_thread(self) -> Result<()> {
        self.serve_on(runtime::Builder::new_current_thread())
    }

    /// Serves them by tasks on a runtime of so many threads.
    pub(crate) fn serve_on_threads(self, threads: usize) -> Result<()> {
        let mut builder = runtime::Builder::new_multi_thread();
        builder.worker_threads(threads);
        self.serve_on(builder)
    }

    fn serve_on(self, mut runtime: runtime::Builder) -> Result<()> {
        let runtime = runtime
            .enable_io()
            .build()
            .context("cannot start a Tokio runtime")?;
        let requests = Arc::new(self);
        runtime.block_on(async {
            let mut clients = JoinSet::new();
            for _ in 0..IN_FLIGHT {
                let requests = Arc::clone(&requests);
                clients.spawn(async move { requests.serve().await });
            }
            while let Some(client) = clients.join_next().await {
                client.context("a task panicked")??;
            }
            Ok(())
        })
    }

    /// Serves them by native threads.
    pub(crate) fn serve_by_native_threads(self) -> Result<()> {
        // A server's threads are up before the first request comes in. An early return
        // opens the gate as well, so that those who wait at it can end.
        let gate = RwLock::new(());
        thread::scope(|scope| {
            let closed = gate.write();
            let mut clients = Vec::new();
            for _ in 0..IN_FLIGHT {
                let client = || {
                    drop(gate.read());
                    self.serve_blocking().inspect_err(|_| self.abandon())
                };
                let client = thread::Builder::new()
                    .spawn_scoped(scope, client)
                    .inspect_err(|_| self.abandon())
                    .context("cannot start a thread")?;
                clients.push(client);
            }
            drop(closed);
            for client in clients {
                client.join().map_err(|_| anyhow!("a thread panicked"))??;
            }
            Ok(())
        })
    }

    async fn serve(&self) -> Result<()> {
        while let Some(request) = self.take() {
            let connections = match self.lock {
                Lock::None => connect_unlocked(request.cell).await?,
                Lock::PerCell => connect(request.cell).await?,
            };
            request.check(&connections.instance(request.instance).await?)?;
            self.progress.inc(1);
        }
        Ok(())
    }

    /// [`Requests::serve`], for threads.
    fn serve_blocking(&self) -> Result<()> {
        while let Some(request) = self.take() {
            let connections = match self.lock {
                Lock::None => connect_blocking_unlocked(request.cell)?,
                Lock::PerCell => connect_blocking(request.cell)?,
            };
            request.check(&connections.instance_blocking(request.instance)?)?;
            self.progress.inc(1);
        }
        Ok(())
    }

    /// Leaves the others nothing to do, where one has failed.
    fn abandon(&self) {
        self.next.store(self.end, Ordering::Relaxed);
    }

    fn take(&self) -> Option<Request<'_>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.end).then(|| {
            let cells = self.cells.len();
            Request {
                cell: &self.cells[number as usize % cells],
                instance: number % INSTANCES,
            }
        })
    }
}

impl Request<'_> {
    fn check(&self, answer: &Instance) -> Result<()> {
        let seeded = Instance::seeded(self.cell.uuid, self.instance);
        ensure!(
            *answer == seeded,
            "cell `{}` gave a wrong answer: {answer:?}, but {seeded:?} was seeded",
            self.cell.uuid
        );
        Ok(())
    }
}

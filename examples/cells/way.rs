//! The ways to serve requests.
//!
//! Each keeps [`IN_FLIGHT`] requests in flight, as a busy service does: so many tasks or
//! threads, each of which takes the next request when it is done with one. Consecutive
//! requests are for different cells.

use crate::cell::CellMapping;
use crate::database::{INSTANCES, Instance};
use crate::options::Options;
use crate::{connect, connect_blocking, connect_blocking_unlocked, connect_unlocked};
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use indicatif::ProgressBar;
use parking_lot::RwLock;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

/// How many requests are in flight at once, in each process.
pub(crate) const IN_FLIGHT: u32 = 64;

#[derive(Clone, Copy)]
pub(crate) enum Way {
    OneThread,
    ManyThreads { threads: usize },
    NativeThreads,
    Processes { workers: u32 },
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Lock {
    #[value(name = "none")]
    None,
    #[value(name = "per cell")]
    PerCell,
}

impl Way {
    pub(crate) fn all(options: &Options) -> [Self; 4] {
        // On one core there are still two threads, which the system interleaves.
        let threads = thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
        [
            Self::OneThread,
            Self::ManyThreads { threads },
            Self::NativeThreads,
            Self::Processes {
                // A worker without a request isn't started.
                workers: options.workers.min(options.requests),
            },
        ]
    }

    /// How many requests each process serves.
    pub(crate) fn shares(self, options: &Options) -> Vec<u32> {
        let Self::Processes { workers } = self else {
            return vec![options.requests];
        };
        (0..workers)
            .map(|worker| {
                options.requests / workers + u32::from(worker < options.requests % workers)
            })
            .collect()
    }

    /// One for each cell that a process is asked about, since each has its own cache.
    pub(crate) fn connections_meant(self, options: &Options) -> u32 {
        self.shares(options)
            .into_iter()
            .map(|requests| requests.min(options.cells))
            .sum()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneThread => f.write_str("tasks, 1 thread"),
            Self::ManyThreads { threads } => write!(f, "tasks, {threads} threads"),
            Self::NativeThreads => f.write_str("native threads"),
            Self::Processes { workers: 1 } => f.write_str("1 process"),
            Self::Processes { workers } => write!(f, "{workers} processes"),
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name that the command line knows as well.
        self.to_possible_value()
            .map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

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
        let runtime: Runtime = runtime
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
        // A server's threads are up before the first request comes in. A thread that
        // can't be started opens the gate as well, by the early return.
        let gate = RwLock::new(());
        thread::scope(|scope| {
            let closed = gate.write();
            let mut clients = Vec::new();
            for _ in 0..IN_FLIGHT {
                let client = || {
                    drop(gate.read());
                    self.serve_blocking()
                };
                let client = thread::Builder::new()
                    .spawn_scoped(scope, client)
                    .context("cannot start a thread")?;
                clients.push(client);
            }
            drop(closed);
            for client in clients {
                client
                    .join()
                    .map_err(|_| anyhow::anyhow!("a thread panicked"))??;
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

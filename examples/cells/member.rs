//! A host of the fleet, as the code that runs there sees it.
//!
//! It has a client of the server of locks that is its own, and goes through the cells in the same order as
//! the others. It is a process; or a thread, where the server is in this process.

use super::cell::{self, CellMapping};
use super::host::{self, Answer, HALF_WAY, READY};
use super::options::Task;
use super::way::Lock;
use crate::{migrate, migrate_unlocked};
use anyhow::{Context, Result};
use lockutils_any::AnyLocks;
use std::env;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::Duration;
use tokio::runtime;

/// Where a process finds the URL of the server, since others can see its arguments.
pub(crate) const SERVER: &str = "LOCKUTILS_ON";

/// How long the hold of the host that stops lasts when nobody renews it: as short as all servers have it.
/// Those of the others, which are not to be lost, last as long as they do without [`AnyLocks::ttl`].
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// How long the server may take, however busy it is, to do what it was told.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the middle of a migration is.
const WHILE: Duration = Duration::from_millis(2);

pub(crate) struct Member {
    pub(crate) locks: AnyLocks,
    console: Console,
    /// Whether it stops in the middle of a migration.
    stops: bool,
}

/// How it speaks with the program that has started it.
pub(crate) enum Console {
    Standard,
    Channel {
        lines: Sender<String>,
        go_on: Receiver<()>,
    },
}

/// Asks the server for something, so that one that isn't there is told of at once.
pub(crate) fn reach(server: &str) -> Result<()> {
    AnyLocks::new(server)?.states()?;
    Ok(())
}

/// Migrates all cells, in the worker process.
pub(crate) fn serve(task: &Task) -> Result<()> {
    let cells = cell::load(&task.directory)?;
    let server = env::var(SERVER).with_context(|| format!("`{SERVER}` has no URL"))?;
    let member = Member::new(&server, Console::Standard, task.stop_half_way)?;
    member.serve(&cells, task.lock)
}

impl Member {
    pub(crate) fn new(server: &str, console: Console, stops: bool) -> Result<Self> {
        let locks = AnyLocks::new(server)?;
        Ok(Self {
            locks: if stops { locks.ttl(LEASE) } else { locks },
            console,
            stops,
        })
    }

    /// Migrates all cells, when it is told to, and says how often it was the one.
    pub(crate) fn serve(&self, cells: &[CellMapping], lock: Lock) -> Result<()> {
        let runtime = runtime::Builder::new_current_thread().build()?;
        self.console.say(READY)?;
        self.console.wait()?;
        let mut answer = Answer::default();
        for cell in cells {
            answer.count(runtime.block_on(async {
                match lock {
                    Lock::None => migrate_unlocked(cell, self, None).await,
                    Lock::PerCell => migrate(cell, self).await,
                }
            }));
        }
        // What was released is free when others hear of it.
        self.locks.close(PATIENCE)?;
        self.console.say(&answer.line())
    }

    /// Called when half of a migration is done: where one host stops, with all that is in it.
    pub(crate) async fn half_way(&self) -> Result<()> {
        if !self.stops {
            // A table of a service has more rows than these, and takes a while. Meanwhile others may
            // come in, where no lock is.
            thread::sleep(WHILE);
            tokio::task::yield_now().await;
            return Ok(());
        }
        self.console.say(HALF_WAY)?;
        // No await: when it wakes up, it goes on at once with what it was about to do.
        self.console.wait()
    }
}

impl Console {
    fn say(&self, line: &str) -> Result<()> {
        match self {
            Self::Standard => println!("{line}"),
            Self::Channel { lines, .. } => lines.send(line.to_owned())?,
        }
        Ok(())
    }

    fn wait(&self) -> Result<()> {
        match self {
            Self::Standard => host::wait_for_line(),
            Self::Channel { go_on, .. } => Ok(go_on.recv()?),
        }
    }
}

//! What exists once in the fleet: the cells' databases again, which the hosts come to migrate.
//!
//! A host is a process with a directory of its own, so that no lock file is the same for two; what
//! they have in common is a server. Where that is in the memory of this process, so that nothing else
//! has to run, no other process can reach it: the hosts are threads then, each with a client of its own.
//! Nobody can stop a thread for longer than its lease, so there the server is told to end the lease.

use super::cell::CellMapping;
use super::host::{Answer, HALF_WAY, Outcome, READY};
use super::member::{Console, Member, SERVER};
use super::migration;
use super::way::Lock;
use super::worker::Worker;
use anyhow::{Context, Result, bail, ensure};
use lockutils_remote::{FakeLocks, FakeStore, Remote};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The hosts, by what they need to begin.
pub(crate) struct Fleet<'a> {
    /// The URL of the server of locks.
    pub(crate) server: &'a str,
    /// Where the databases are, and the directory of each host.
    pub(crate) directory: &'a Path,
    pub(crate) cells: &'a [CellMapping],
}

/// How a database was migrated while the one who had begun was stopped, for longer than its lease.
pub(crate) struct Late {
    pub(crate) stopped: String,
    pub(crate) other: String,
    /// What the stopped one says to what it has come to.
    pub(crate) complaint: String,
    /// Whether the other one has migrated, and nothing was written after it.
    pub(crate) complete: bool,
    pub(crate) time: Duration,
}

impl Late {
    /// Whether the database refused what came too late.
    pub(crate) fn is_refused(&self) -> bool {
        self.complaint.starts_with(migration::REFUSED)
    }
}

impl Fleet<'_> {
    /// Has so many hosts migrate all cells at the same time.
    pub(crate) fn migrate_all(&self, lock: Lock, hosts: u32) -> Result<Outcome> {
        let hosts = (0..hosts).map(|number| self.start(number, lock, false));
        let mut hosts = hosts.collect::<Result<Vec<_>>>()?;
        let started = Instant::now();
        for host in &mut hosts {
            host.go_on()?;
        }
        let mut answers = Vec::new();
        for host in &mut hosts {
            answers.push(Answer::read(&host.hear()?)?);
            host.finish()?;
        }
        Outcome::new(
            answers,
            started.elapsed(),
            self.cells,
            migration::is_complete,
        )
    }

    /// Stops a host in the middle of a migration, for longer than its lease, while another one
    /// waits for the lock; and has it go on when that one is done.
    pub(crate) fn stop_half_way(&self) -> Result<Late> {
        let cell = self.cells.first().context("there is no cell")?;
        let mut first = self.start(0, Lock::PerCell, true)?;
        let mut second = self.start(1, Lock::PerCell, false)?;
        first.go_on()?;
        ensure!(first.hear()? == HALF_WAY, "a host didn't stop half-way");

        let started = Instant::now();
        first.stop(cell)?;
        second.go_on()?;
        let done = Answer::read(&second.hear()?)?;
        let time = started.elapsed();
        first.wake()?;
        let late = Answer::read(&first.hear()?)?;
        first.finish()?;
        second.finish()?;
        let complete = (done.made, late.made) == (1, 0) && migration::is_complete(cell)?;
        Ok(Late {
            stopped: first.name(),
            other: second.name(),
            complaint: late.complaint.unwrap_or_default(),
            complete,
            time,
        })
    }

    fn start(&self, number: u32, lock: Lock, stops: bool) -> Result<Host> {
        let mut host = if is_in_memory(self.server) {
            self.start_thread(number, lock, stops)?
        } else {
            self.start_process(number, lock, stops)?
        };
        ensure!(host.hear()? == READY, "a host isn't ready");
        Ok(host)
    }

    fn start_process(&self, number: u32, lock: Lock, stops: bool) -> Result<Host> {
        let own = self.own_directory(number)?;
        let worker = Worker::start_with(|command| {
            command
                .arg("migrate")
                .args([self.directory.as_os_str(), lock.to_string().as_ref()])
                .args(stops.then_some("--stop-half-way"))
                .env(SERVER, self.server)
                .env("LOCKUTILS_DIR", &own)
                .current_dir(&own);
        })?;
        Ok(Host::Process(worker))
    }

    fn own_directory(&self, number: u32) -> Result<PathBuf> {
        let own = self.directory.join(format!("host {number}"));
        fs::create_dir_all(&own).context("cannot create a directory for a host")?;
        Ok(own)
    }

    fn start_thread(&self, number: u32, lock: Lock, stops: bool) -> Result<Host> {
        let (say, lines) = mpsc::channel();
        let (tell, go_on) = mpsc::channel();
        let console = Console::Channel { lines: say, go_on };
        let member = Member::new(self.server, console, stops)?;
        let cells = self.cells.to_vec();
        let thread = thread::Builder::new()
            .name(format!("host {number}"))
            .spawn(move || member.serve(&cells, lock))
            .context("cannot start a thread")?;
        Ok(Host::Thread {
            number,
            server: self.server.to_owned(),
            tell,
            lines,
            thread: Some(thread),
        })
    }
}

/// Whether the server is in the memory of this process.
pub(crate) fn is_in_memory(server: &str) -> bool {
    server.starts_with("memory:")
}

/// A host, as the program sees it that has started it.
enum Host {
    Process(Worker),
    Thread {
        number: u32,
        server: String,
        tell: Sender<()>,
        lines: Receiver<String>,
        thread: Option<JoinHandle<Result<()>>>,
    },
}

impl Host {
    fn name(&self) -> String {
        match self {
            Self::Process(worker) => format!("process {}", worker.id()),
            Self::Thread { number, .. } => format!("host {number}"),
        }
    }

    /// Has it go on that waits to be told.
    fn go_on(&mut self) -> Result<()> {
        match self {
            Self::Process(worker) => worker.go_on(),
            Self::Thread { tell, .. } => Ok(tell.send(())?),
        }
    }

    /// The next line that it says.
    fn hear(&mut self) -> Result<String> {
        let lines = match self {
            Self::Process(worker) => return worker.hear(),
            Self::Thread { lines, .. } => lines,
        };
        if let Ok(line) = lines.recv() {
            return Ok(line);
        }
        self.finish().context("a host failed")?;
        bail!("a host ended without an answer")
    }

    /// Waits for its end, which is to be a success.
    fn finish(&mut self) -> Result<()> {
        match self {
            Self::Process(worker) => worker.finish(),
            Self::Thread { thread, .. } => match thread.take().map(JoinHandle::join) {
                Some(Ok(end)) => end,
                Some(Err(_)) => bail!("a host panicked"),
                None => Ok(()),
            },
        }
    }

    /// Stops it, so that its lease ends. A thread stands still already, and its lease is ended.
    fn stop(&self, cell: &CellMapping) -> Result<()> {
        match self {
            Self::Process(worker) => signal("-STOP", worker.id()),
            Self::Thread { server, .. } => {
                let locks = Remote::<FakeStore>::new(server).map(FakeLocks::from)?;
                locks.server().lose(&cell.uuid.to_string());
                Ok(())
            }
        }
    }

    fn wake(&mut self) -> Result<()> {
        if let Self::Process(worker) = self {
            signal("-CONT", worker.id())?;
        }
        self.go_on()
    }
}

fn signal(signal: &str, pid: u32) -> Result<()> {
    let sent = Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
    let is_sent = sent.is_ok_and(|status| status.success());
    ensure!(
        is_sent,
        "cannot send process {pid} a signal, `kill {signal}`"
    );
    Ok(())
}

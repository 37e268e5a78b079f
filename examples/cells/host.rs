//! What exists once on a host: the cells' databases, which several processes come to make.
//!
//! They are all up before the first begins, and go through the cells in the same order, as
//! services do that are started together. The process-wide space of lock files, in which
//! `external` locks, is in a directory beside the databases.

use super::cell::{self, CellMapping};
use super::database;
use super::options::Task;
use super::way::Lock;
use super::worker::Worker;
use crate::{make, make_unlocked};
use anyhow::{Context, Result, ensure};
use lockutils::FileLocks;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What came of making the databases.
pub(crate) struct Outcome {
    /// How often a process made one.
    pub(crate) made: u32,
    /// How often a process failed to.
    pub(crate) failed: u32,
    /// Why, for example.
    pub(crate) complaint: Option<String>,
    /// How many are there in the end, with all of their rows.
    pub(crate) complete: u32,
    pub(crate) time: Duration,
}

impl Outcome {
    /// The sum of what the workers have done, and what is there in the end.
    pub(crate) fn new(
        answers: Vec<Answer>,
        time: Duration,
        cells: &[CellMapping],
        is_complete: impl Fn(&CellMapping) -> Result<bool>,
    ) -> Result<Self> {
        let complete: Result<Vec<_>> = cells.iter().map(is_complete).collect();
        Ok(Self {
            made: answers.iter().map(|answer| answer.made).sum(),
            failed: answers.iter().map(|answer| answer.failed).sum(),
            complaint: answers.into_iter().find_map(|answer| answer.complaint),
            complete: complete?.into_iter().map(u32::from).sum(),
            time,
        })
    }

    /// Whether each cell's was made, once, and nothing failed.
    pub(crate) fn is_as_meant(&self, cells: u32) -> bool {
        (self.made, self.failed, self.complete) == (cells, 0, cells)
    }

    /// What failed, in words.
    pub(crate) fn failures(&self) -> String {
        let count = match self.failed {
            0 => return "nothing failed".to_owned(),
            1 => "one attempt failed".to_owned(),
            failed => format!("{failed} attempts failed"),
        };
        match &self.complaint {
            Some(complaint) => format!("{count} (\"{complaint}\")"),
            None => count,
        }
    }
}

/// How a database was made of which the first process made only half.
pub(crate) struct Rescue {
    pub(crate) killed: u32,
    pub(crate) rescuer: u32,
    pub(crate) complete: bool,
    /// From just before the one was killed to when the other was done.
    pub(crate) time: Duration,
}

/// Has so many workers make the databases of all cells, in the parent process.
pub(crate) fn make_all(
    directory: &Path,
    cells: &[CellMapping],
    lock: Lock,
    workers: u32,
) -> Result<Outcome> {
    let workers = (0..workers).map(|_| start(directory, lock, None));
    let mut workers = workers.collect::<Result<Vec<_>>>()?;

    let started = Instant::now();
    for worker in &mut workers {
        worker.go_on()?;
    }
    let mut answers = Vec::new();
    for worker in &mut workers {
        answers.push(Answer::read(&worker.hear()?)?);
        worker.finish()?;
    }
    Outcome::new(answers, started.elapsed(), cells, database::is_complete)
}

/// Kills a worker that has made half of a database and holds its lock, and waits for one that
/// waits for it.
pub(crate) fn kill_half_way(directory: &Path, cell: &CellMapping) -> Result<Rescue> {
    let mut first = start(directory, Lock::PerCell, Some("--stop-half-way"))?;
    let mut second = start(directory, Lock::PerCell, None)?;
    first.go_on()?;
    ensure!(
        first.hear()? == HALF_WAY,
        "a worker process didn't stop half-way"
    );
    second.go_on()?;
    wait_for_waiter(directory)?;

    let started = Instant::now();
    let (killed, rescuer) = (first.id(), second.id());
    first.kill()?;
    let answer = Answer::read(&second.hear()?)?;
    let time = started.elapsed();
    second.finish()?;
    let complete = answer.made == 1 && database::is_complete(cell)?;
    Ok(Rescue {
        killed,
        rescuer,
        complete,
        time,
    })
}

/// Where the system tells, until somebody waits for a lock file; and not for longer than a
/// second, since the story has the same end without.
fn wait_for_waiter(directory: &Path) -> Result<()> {
    let (locks, started) = (lock_files(directory), Instant::now());
    while started.elapsed() < Duration::from_secs(1)
        && locks.states()?.iter().all(|lock| lock.waiters == 0)
    {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn start(directory: &Path, lock: Lock, option: Option<&str>) -> Result<Worker> {
    let lock = lock.to_string();
    let arguments = ["make".as_ref(), directory.as_os_str(), lock.as_ref()];
    let mut worker = Worker::start(arguments.into_iter().chain(option.map(OsStr::new)))?;
    ensure!(worker.hear()? == READY, "a worker process isn't ready");
    Ok(worker)
}

fn lock_files(directory: &Path) -> FileLocks {
    FileLocks::new(directory.join("locks"))
}

pub(crate) const READY: &str = "ready";
pub(crate) const HALF_WAY: &str = "half-way";

/// What a worker has done, which it says in a line.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) made: u32,
    pub(crate) failed: u32,
    pub(crate) complaint: Option<String>,
}

impl Answer {
    /// Counts what has come of one database.
    pub(crate) fn count(&mut self, made: Result<bool>) {
        match made {
            Ok(made) => self.made += u32::from(made),
            Err(error) => {
                self.failed += 1;
                // The database's own words say it best.
                let text = match error.downcast_ref::<rusqlite::Error>() {
                    Some(error) => error.to_string(),
                    None => error.root_cause().to_string(),
                };
                self.complaint.get_or_insert(text);
            }
        }
    }

    pub(crate) fn line(&self) -> String {
        let complaint = self.complaint.as_deref().unwrap_or_default();
        let complaint = complaint.replace('\n', " ");
        format!("{} {} {complaint}", self.made, self.failed)
    }

    pub(crate) fn read(line: &str) -> Result<Self> {
        let read = || {
            let mut words = line.splitn(3, ' ');
            Some(Self {
                made: words.next()?.parse().ok()?,
                failed: words.next()?.parse().ok()?,
                complaint: words
                    .next()
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned),
            })
        };
        read().with_context(|| format!("a worker process answers {line:?}"))
    }
}

/// Whether this worker stops when it has made half of a database.
static STOPS: AtomicBool = AtomicBool::new(false);

/// Makes the databases of all cells, in the worker process.
pub(crate) fn serve(task: &Task) -> Result<()> {
    let cells = cell::load(&task.directory)?;
    lockutils::set_file_locks(lock_files(&task.directory))
        .ok()
        .context("something was locked before")?;
    STOPS.store(task.stop_half_way, Ordering::Relaxed);
    println!("{READY}");
    wait_for_line()?;

    let mut answer = Answer::default();
    for cell in &cells {
        let made = match task.lock {
            Lock::None => make_unlocked(cell),
            Lock::PerCell => make(cell),
        };
        answer.count(made);
    }
    println!("{}", answer.line());
    Ok(())
}

/// Called when half of a database is made: where one of the workers is killed.
pub(crate) fn half_way() -> Result<()> {
    if STOPS.load(Ordering::Relaxed) {
        println!("{HALF_WAY}");
        wait_for_line()?;
    }
    Ok(())
}

pub(crate) fn wait_for_line() -> Result<()> {
    let read = io::stdin().read_line(&mut String::new());
    let length = read.context("cannot read from standard input")?;
    ensure!(length > 0, "the program that started this one is gone");
    Ok(())
}

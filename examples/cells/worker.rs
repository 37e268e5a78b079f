//! Worker processes: this program, started again for a share of the requests.
//!
//! A worker has a memory of its own, and therefore a cache of its own. It serves by tasks
//! on one thread, and starting it is part of the run's time. Its exit status says whether
//! all answers were right, and its standard error what went wrong.

use super::cell;
use super::options::Share;
use super::requests::Requests;
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Serves a share, in the worker process.
pub(crate) fn serve(share: &Share) -> Result<()> {
    let cells = cell::load(&share.directory)?;
    Requests::new(cells, share.requests, share.lock, ProgressBar::hidden()).serve_on_one_thread()
}

/// Starts a worker for each share and waits for all, in the parent process.
pub(crate) fn run(shares: &[Share], progress: &ProgressBar) -> Result<()> {
    let mut workers = shares.iter().map(start).collect::<Result<Vec<_>>>()?;
    for (worker, share) in workers.iter_mut().zip(shares) {
        worker.finish().context("a worker process failed")?;
        progress.inc(share.requests.into());
    }
    Ok(())
}

fn start(share: &Share) -> Result<Worker> {
    let (requests, lock) = (share.requests.to_string(), share.lock.to_string());
    Worker::start([
        "worker".as_ref(),
        share.directory.as_os_str(),
        requests.as_ref(),
        lock.as_ref(),
    ])
}

/// A running worker; dropping it kills it.
pub(crate) struct Worker {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts this program with other arguments.
    pub(crate) fn start<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<Self> {
        Self::start_with(|command| {
            command.args(arguments);
        })
    }

    /// Starts this program as it is said.
    pub(crate) fn start_with(prepare: impl FnOnce(&mut Command)) -> Result<Self> {
        let start = || {
            let mut command = Command::new(env::current_exe()?);
            prepare(&mut command);
            let mut child = command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let answers = child.stdout.take().context("it has no standard output")?;
            let answers = BufReader::new(answers);
            anyhow::Ok(Self { child, answers })
        };
        start().context("cannot start a worker process")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has it go on that waits for a line.
    pub(crate) fn go_on(&mut self) -> Result<()> {
        let input = self.child.stdin.as_mut();
        let input = input.context("a worker process has no standard input")?;
        writeln!(input).context("a worker process doesn't listen")
    }

    /// The next line that it prints; the complaint of one that ends instead.
    pub(crate) fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            self.finish().context("a worker process failed")?;
            bail!("a worker process ended without an answer");
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    pub(crate) fn kill(&mut self) -> Result<()> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.context("cannot kill a worker process")?;
        Ok(())
    }

    /// Waits for its end, which is to be a success.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let mut complaint = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            stderr.read_to_string(&mut complaint)?;
        }
        let status = self.child.wait()?;
        // One that was killed had no time to complain.
        match complaint.trim_end() {
            _ if status.success() => Ok(()),
            "" => bail!("{status}"),
            complaint => bail!("{status}, {complaint}"),
        }
    }
}

impl Drop for Worker {
    /// Where one worker failed, the others needn't go on.
    fn drop(&mut self) {
        // Both are no-ops for a process that was waited for, and there is nobody to tell
        // of a failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

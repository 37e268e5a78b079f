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
use std::io::Read;
use std::process::{Child, Stdio};

/// Serves a share, in the worker process.
pub(crate) fn serve(share: &Share) -> Result<()> {
    let cells = cell::load(&share.directory)?;
    Requests::new(cells, share.requests, share.lock, ProgressBar::hidden()).serve_on_one_thread()
}

/// Starts a worker for each share and waits for all, in the parent process.
pub(crate) fn run(shares: &[Share], progress: &ProgressBar) -> Result<()> {
    let mut workers = shares
        .iter()
        .map(|share| Worker::start(share).context("cannot start a worker process"))
        .collect::<Result<Vec<_>>>()?;
    for (worker, share) in workers.iter_mut().zip(shares) {
        worker.finish().context("a worker process failed")?;
        progress.inc(share.requests.into());
    }
    Ok(())
}

struct Worker(Child);

impl Worker {
    fn start(share: &Share) -> Result<Self> {
        let child = std::process::Command::new(env::current_exe()?)
            .arg("worker")
            .arg(&share.directory)
            .arg(share.requests.to_string())
            .arg(share.lock.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(Self(child))
    }

    fn finish(&mut self) -> Result<()> {
        let mut complaint = String::new();
        if let Some(stderr) = &mut self.0.stderr {
            stderr.read_to_string(&mut complaint)?;
        }
        let status = self.0.wait()?;
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
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

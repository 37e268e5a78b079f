//! Room for open files: a socket is one, and so is a database.

use super::options::Options;
use super::requests::IN_FLIGHT;
use anyhow::{Context, Result, ensure};

/// Standard streams, runtimes, pipes from the workers, with room to spare.
const OTHER_FILES: u64 = 100;

/// Raises this process's limit as far as the run may need, or says what to do.
pub(crate) fn allow_open_files(options: &Options) -> Result<()> {
    // At any moment a cache has a connection for each cell, each request in flight may have
    // one more, and as many may be closed at one end only.
    let connections = u64::from(options.cells + 2 * IN_FLIGHT);
    // One by this process is a database and both ends of a socket. Of a worker's, this
    // process has the bus's end alone.
    let ends = u64::from(options.workers.max(3));
    let needed = connections * ends + OTHER_FILES;
    let allowed =
        rlimit::increase_nofile_limit(needed).context("cannot raise the limit of open files")?;
    ensure!(
        allowed >= needed,
        "{needed} files may be open at once, and the limit is {allowed}; \
         use fewer `--cells` or `--workers`, or raise it with `ulimit -n {needed}`"
    );
    Ok(())
}

//! The same of a task.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized(key = id, locks = *JOBS, acquire_timeout = "5s")]
async fn bill(id: u64) -> Result<(), Error> {
    Ok(())
}

fn main() {}

//! A lock that can be lost, and a body that isn't told.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized(key = id, locks = JOBS)]
fn bill(id: u64) -> Result<(), Error> {
    Ok(())
}

fn main() {}

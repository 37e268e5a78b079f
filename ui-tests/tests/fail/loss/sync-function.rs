//! A thread can't be stopped.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized("job", locks = JOBS, cancel_on_loss)]
fn bill() -> Result<(), Error> {
    Ok(())
}

fn main() {}

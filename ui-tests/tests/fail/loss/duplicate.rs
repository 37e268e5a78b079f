//! It stands there once.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized("job", locks = JOBS, cancel_on_loss, cancel_on_loss)]
async fn bill() -> Result<(), Error> {
    Ok(())
}

fn main() {}

//! It takes no value.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized("job", locks = JOBS, cancel_on_loss = true)]
async fn bill() -> Result<(), Error> {
    Ok(())
}

fn main() {}

//! A word that is almost it.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized("job", locks = JOBS, cancel_on_lost)]
async fn bill() -> Result<(), Error> {
    Ok(())
}

fn main() {}

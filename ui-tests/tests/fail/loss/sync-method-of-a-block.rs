//! Nor in a method of a block.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

struct Job;

#[synchronized("job", locks = JOBS, cancel_on_loss)]
impl Job {
    fn first(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn second(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

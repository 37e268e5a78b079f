//! The same of each method of a block.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

struct Job(LossyLocks);

#[synchronized(keys = [1, 2], locks = self.0)]
impl Job {
    fn first(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn second(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

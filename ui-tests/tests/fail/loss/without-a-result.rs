//! The loss is an error, which has to be returned.

use lockutils::synchronized;
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized("job", locks = JOBS, cancel_on_loss)]
async fn bill() -> u32 {
    7
}

fn main() {}

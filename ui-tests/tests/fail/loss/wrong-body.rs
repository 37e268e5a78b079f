//! What is wrong with the body is told as without the argument.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized("job", locks = JOBS, cancel_on_loss)]
async fn bill(id: u64) -> Result<u64, Error> {
    let text: u64 = "text";
    "7".parse::<u64>()?;
    Ok(id.to_string())
}

fn main() {}

//! A lock file can't be lost.

use lockutils::{Error, FileLocks, synchronized};
use std::sync::LazyLock;

static FILES: LazyLock<FileLocks> = LazyLock::new(|| FileLocks::new("/run/jobs"));

#[synchronized("job", locks = FILES, cancel_on_loss)]
async fn bill() -> Result<(), Error> {
    Ok(())
}

fn main() {}

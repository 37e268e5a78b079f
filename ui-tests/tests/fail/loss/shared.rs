//! A space of exclusive locks only.

use lockutils::{Error, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized("job", locks = JOBS, shared, guard = lease)]
fn bill() -> Result<(), Error> {
    lease.check()
}

fn main() {
    let _ = JOBS.key("job").shared();
}

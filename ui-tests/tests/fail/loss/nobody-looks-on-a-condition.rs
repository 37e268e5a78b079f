//! A lock that can be lost, where a condition is true.

use lockutils::synchronized;
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

#[synchronized("job", locks = JOBS, when = is_locked, or_else = |_| ())]
fn bill(is_locked: bool) -> impl Future<Output = ()> {
    let _ = is_locked;
    async move {}
}

fn main() {}

//! What the locks of a server promise, by the server in memory.

mod conformance;
mod ending;
mod faults;
mod loss;
mod observed;
mod seen;
mod waiting;

use lockutils_remote::FakeLocks;
use std::time::Duration;

/// The shortest lease, of which a tenth is not counted on.
const LEASE: Duration = Duration::from_secs(1);

const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// What a test doesn't wait for.
const LONG: Duration = Duration::from_secs(600);

/// With the shortest lease, and a server that may be silent for half of it.
fn locks() -> FakeLocks {
    FakeLocks::new().ttl(LEASE).answer_timeout(ANSWER_TIMEOUT)
}

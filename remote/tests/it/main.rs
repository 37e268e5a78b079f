//! What the locks of a server promise, by the server in memory.

mod conformance;
mod ending;
mod faults;
mod loss;
mod observed;
mod seen;
mod waiting;

use lockutils::LeaseGuard;
use lockutils_conformance::eventually;
use lockutils_remote::FakeLocks;
use std::time::{Duration, Instant};

/// A lease that is renewed in time where the machine stands still for five seconds, and that a test can wait for.
const LEASE: Duration = Duration::from_secs(9);

/// For a server that is cut off: another one answers at once, in memory.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// What a test doesn't wait for.
const LONG: Duration = Duration::from_secs(600);

/// Without an end that a busy machine could bring about.
fn locks() -> FakeLocks {
    FakeLocks::new().ttl(LONG).answer_timeout(LONG)
}

/// Waits until it is valid for longer than it is now.
fn wait_for_renewal(guard: &LeaseGuard) {
    let end = || Instant::now() + guard.valid_for();
    let before = end();
    eventually("it is renewed", || end() > before + LEASE / 10);
}

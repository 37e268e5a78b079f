//! What a space can be told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lockutils_remote::{FromUrl as _, Store as _};

use crate::faults::subject::{KEY, LONG, Subject, at};
use crate::faults::test::Test;
use crate::server::Kind as _;

/// The server takes the shortest and the longest lease, and any silence. Who asks for another lease is told the range,
/// and not what the server says to it, if it says anything.
pub fn leases_and_silences_of_every_length_are_taken<S: Subject>(test: &Test<S>) {
    let url = S::Server::url(test.server.port());
    let shape = S::Store::from_url(&url).expect("a URL").shape();
    let least = shape.least_lease.max(Duration::from_secs(1));
    let greatest = shape.greatest_lease;
    for (lease, silence) in [(least, LONG), (greatest, LONG), (LONG, Duration::MAX)] {
        let locks = at::<S>(test.server.port(), lease).answer_timeout(silence);
        let guard = locks.key(KEY).lock().unwrap();
        assert!(guard.valid_for() <= lease);
        // The shortest one may be over before anybody looks.
        assert!(lease == least || guard.valid_for() > lease / 2);
        drop(guard);
        locks.close(LONG).unwrap();
    }
    let nanosecond = Duration::from_nanos(1);
    for wrong in [
        Duration::ZERO,
        least.saturating_sub(nanosecond),
        greatest + nanosecond,
        Duration::from_millis(u64::MAX),
        Duration::MAX,
    ] {
        let locks = test.locks(LONG);
        let refused = catch_unwind(AssertUnwindSafe(|| locks.ttl(wrong))).unwrap_err();
        let told = refused.downcast::<String>().unwrap();
        for part in [format!("{least:?} at least"), " days at most".to_owned()] {
            assert!(told.contains(&part), "{wrong:?}: {told}");
        }
    }
}

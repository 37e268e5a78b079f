//! Which locks are tested, and what most cases need of them.

use std::time::Duration;

use lockutils::{Error, ErrorKind, LeaseGuard};
use lockutils_remote::{FromUrl, Remote};

use crate::server::Kind;

/// A lease to be waited for, which is renewed in time where the machine stands still for five seconds.
pub(crate) const LEASE: Duration = Duration::from_secs(9);

/// How long a server may be silent where that is waited for. Before, it has to answer on a busy machine.
pub(crate) const SILENCE: Duration = Duration::from_secs(10);

/// A lease that doesn't end while a test runs.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// The key of most cases.
pub(crate) const KEY: &str = "key";

/// Locks that are tested, and what is particular to them.
pub trait Subject: 'static {
    /// Where they are.
    type Server: Kind + 'static;

    /// The engine.
    type Store: FromUrl;

    /// Whether a hold outlives the connection that it was got by. If not, the server frees it when
    /// that ends, and the holder is told at once.
    const OUTLIVES_CONNECTION: bool = true;
}

pub(crate) fn at<S: Subject>(port: u16, lease: Duration) -> Remote<S::Store> {
    let url = S::Server::url(port);
    Remote::new(&url).unwrap().ttl(lease)
}

pub(crate) fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

pub(crate) fn wait_for_loss(guard: &LeaseGuard) {
    pollster::block_on(guard.lost());
    assert!(guard.is_lost());
}

//! Locks of real etcd servers, which the tests start, stop and kill.

#![forbid(unsafe_code)]

mod api;
mod conformance;
mod deleted;
mod faults;
mod locks;
mod queue;
mod refused;
mod session;
#[cfg(feature = "rustls")]
mod tls;

use lockutils_etcd::EtcdLocks;
use lockutils_servers::Etcd as Server;
use std::time::Duration;

/// What a test doesn't wait for.
const LONG: Duration = Duration::from_secs(600);

fn locks(url: &str) -> EtcdLocks {
    let locks = EtcdLocks::new(url).unwrap().prefix("billing");
    // The machine may be busy.
    locks.answer_timeout(LONG)
}

/// A server of its own, where one is installed.
fn server() -> Option<Server> {
    Server::available().then(Server::start)
}

//! All that every space must pass.

use lockutils_conformance::{LIMIT, Subject, conformance, told_by_the_first};
use lockutils_etcd::EtcdLocks;
use lockutils_servers::Etcd as Server;
use std::path::Path;
use std::sync::LazyLock;

use crate::api;

struct Etcd;

/// One for all cases.
static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

impl Subject for Etcd {
    type Space = EtcdLocks;

    const SHARED: bool = false;
    const EMPTY_KEY: bool = false;
    const ACROSS_PROCESSES: bool = true;
    const NAMES_HOLDER: bool = true;
    const LOSS: bool = true;
    const FENCE: bool = true;

    fn available() -> bool {
        Server::available()
    }

    fn space(place: &Path) -> EtcdLocks {
        let url = told_by_the_first(place, || SERVER.url());
        let prefix = place.display().to_string();
        let locks = EtcdLocks::new(&url).unwrap().prefix(prefix);
        locks.answer_timeout(LIMIT)
    }

    /// With the lease of who holds it.
    fn lose(space: &EtcdLocks, key: &str) {
        let prefix = space.name().strip_prefix(&SERVER.url()).unwrap();
        let prefix = prefix[1..].replace('/', "%2F");
        let name = format!("{prefix}/{key}");
        api::revoke_between(SERVER.port(), &format!("{name}/"), &format!("{name}0"));
    }
}

conformance!(Etcd);

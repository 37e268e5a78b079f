//! All that every space must pass, also between processes.

use std::path::Path;
use std::sync::LazyLock;

use lockutils_conformance::{Subject, conformance, told_by_the_first};
use lockutils_postgres::PostgresLocks;
use lockutils_servers::Postgres;

struct Server;

/// One for all cases.
static SERVER: LazyLock<Postgres> = LazyLock::new(Postgres::start);

impl Subject for Server {
    type Space = PostgresLocks;

    const ACROSS_PROCESSES: bool = true;
    const EMPTY_KEY: bool = false;

    fn available() -> bool {
        Postgres::available()
    }

    fn space(place: &Path) -> PostgresLocks {
        let url = told_by_the_first(place, || SERVER.url());
        let prefix = place.to_str().unwrap();
        PostgresLocks::new(&url).unwrap().prefix(prefix)
    }
}

conformance!(Server);

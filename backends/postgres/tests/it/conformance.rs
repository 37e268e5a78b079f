//! All that every space must pass, also between processes.

use std::path::Path;
use std::sync::LazyLock;

use lockutils_conformance::{LIMIT, Subject, conformance, eventually, told_by_the_first};
use lockutils_postgres::PostgresLocks;
use lockutils_servers::Postgres;

use crate::session::{client, run};

struct Server;

/// One for all cases.
static SERVER: LazyLock<Postgres> = LazyLock::new(Postgres::start);

impl Subject for Server {
    type Space = PostgresLocks;

    const ACROSS_PROCESSES: bool = true;
    const NAMES_HOLDER: bool = true;
    const EMPTY_KEY: bool = false;
    const LOSS: bool = true;
    const FENCE: bool = true;

    fn available() -> bool {
        Postgres::available()
    }

    fn space(place: &Path) -> PostgresLocks {
        let url = told_by_the_first(place, || SERVER.url());
        let prefix = place.to_str().unwrap();
        PostgresLocks::new(&url)
            .unwrap()
            .prefix(prefix)
            .answer_timeout(LIMIT)
    }

    /// With the session of who holds it, which says so a little later than it does.
    fn lose(space: &PostgresLocks, key: &str) {
        let terminate = "SELECT pg_terminate_backend(backend, 60000) FROM lockutils_holders \
                         WHERE holder LIKE 'key: ' || $1 || E'\\nhost: %' \
                         AND right($2, length(prefix)) = prefix";
        eventually("its session is found", || {
            run(async {
                let client = client(&SERVER.url()).await;
                let ended = client.query(terminate, &[&key, &space.name()]).await;
                !ended.unwrap().is_empty()
            })
        });
    }
}

conformance!(Server);

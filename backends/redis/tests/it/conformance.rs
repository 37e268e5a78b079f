//! All that every space must pass, also between processes.

use std::path::Path;
use std::sync::LazyLock;

use lockutils_conformance::{Subject, conformance, told_by_the_first};
use lockutils_redis::RedisLocks;
use lockutils_servers::Redis;

struct Server;

/// One for all cases.
static SERVER: LazyLock<Redis> = LazyLock::new(Redis::start);

impl Subject for Server {
    type Space = RedisLocks;

    const SHARED: bool = false;
    const ACROSS_PROCESSES: bool = true;
    const EMPTY_KEY: bool = false;

    fn available() -> bool {
        Redis::available()
    }

    fn space(place: &Path) -> RedisLocks {
        let url = told_by_the_first(place, || SERVER.url());
        let prefix = place.to_str().unwrap();
        RedisLocks::new(&url).unwrap().prefix(prefix)
    }
}

conformance!(Server);

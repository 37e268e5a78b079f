//! All that every space must pass, also between processes.

use std::path::Path;
use std::sync::LazyLock;

use lockutils_conformance::{LIMIT, Subject, conformance, told_by_the_first};
use lockutils_redis::RedisLocks;
use lockutils_servers::Redis;

use crate::setting::admin;

struct Server;

/// One for all cases.
static SERVER: LazyLock<Redis> = LazyLock::new(Redis::start);

impl Subject for Server {
    type Space = RedisLocks;

    const SHARED: bool = false;
    const ACROSS_PROCESSES: bool = true;
    const NAMES_HOLDER: bool = true;
    const EMPTY_KEY: bool = false;
    const LOSS: bool = true;
    const FENCE: bool = true;

    fn available() -> bool {
        Redis::available()
    }

    fn space(place: &Path) -> RedisLocks {
        let url = told_by_the_first(place, || SERVER.url());
        let prefix = place.to_str().unwrap();
        RedisLocks::new(&url)
            .unwrap()
            .prefix(prefix)
            .answer_timeout(LIMIT)
    }

    /// As an administrator does.
    fn lose(space: &RedisLocks, key: &str) {
        let prefix = space.name().strip_prefix(&SERVER.url()).unwrap();
        let name = format!("{}:{key}", &prefix[1..]);
        let mut delete = redis::cmd("DEL");
        delete.arg(name).exec(&mut admin(&SERVER.url())).unwrap();
    }
}

conformance!(Server);

//! All that every space must pass, also between processes.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use lockutils_conformance::{Subject, conformance, eventually};
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
        let file = place.join("url");
        let is_other = env::var_os("LOCKUTILS_CONFORMANCE_PLACE").is_some();
        if !is_other {
            let written = place.join("written");
            fs::write(&written, SERVER.url()).unwrap();
            fs::rename(written, &file).unwrap();
        }
        // Other processes may be here first.
        eventually("the server runs", || file.exists());
        let url = fs::read_to_string(file).unwrap();
        let prefix = place.to_str().unwrap();
        RedisLocks::new(&url).unwrap().prefix(prefix)
    }
}

conformance!(Server);

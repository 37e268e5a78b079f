//! Servers, networks and processes that fail.

use lockutils_redis::Redis;
use lockutils_servers::{RedisKind, faults};

struct Locks;

impl faults::Subject for Locks {
    type Server = RedisKind;
    type Store = Redis;
}

faults!(Locks);

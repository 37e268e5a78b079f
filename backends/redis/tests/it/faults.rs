//! Servers, networks and processes that fail.

use lockutils_conformance::eventually;
use lockutils_redis::{Redis, RedisLocks};
use lockutils_servers::{Proxy, Redis as Server, RedisKind, faults};
use redis::cmd;

use crate::setting::{LONG, admin};

struct Locks;

impl faults::Subject for Locks {
    type Server = RedisKind;
    type Store = Redis;
}

faults!(Locks);

/// The lock goes on at the replica that has it, and so do the fences.
#[test]
fn hold_outlives_a_failover_to_a_replica_that_knows_of_it() {
    if !Server::available() {
        return;
    }
    let primary = Server::with(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::with(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    let name = Proxy::to(primary.port());
    let url = format!("redis://127.0.0.1:{}", name.port());
    let locks = || {
        RedisLocks::new(&url)
            .unwrap()
            .ttl(LONG)
            .answer_timeout(LONG)
    };
    let (holder, next) = (locks(), locks());
    let lease = holder.key("a").lock().unwrap();
    let has_it = || {
        let there = cmd("EXISTS")
            .arg("lockutils:a")
            .query(&mut admin(&replica.url()));
        there.unwrap_or(false)
    };
    eventually("it is replicated", has_it);
    primary.kill();
    let mut promote = cmd("REPLICAOF");
    promote.arg("NO").arg("ONE");
    promote.exec(&mut admin(&replica.url())).unwrap();
    name.lead_to(replica.port());
    let busy = next.key("a").try_lock().unwrap_err();
    assert_eq!(busy.kind(), lockutils::ErrorKind::Busy, "{busy}");
    let fence = lease.fence();
    lease.release().unwrap();
    assert!(next.key("a").lock().unwrap().fence() > fence);
}

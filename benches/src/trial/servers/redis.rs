//! Redis, beside redis-rs alone.

use super::beside::{Take, apart, hand_over, renewal, uncontended, workers};
use crate::measure::Plan;
use crate::target::Target;
use lockutils_redis::RedisLocks;
use lockutils_servers::Redis;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, cmd};
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const HOLDS: usize = 10_000;

/// How the processes take a lock.
pub(super) const OURS: &str = "Redis";
pub(super) const ALONE: &str = "BLPOP";

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    if !Redis::available() {
        return Vec::new();
    }
    let (server, _pinned) = apart(Redis::start);
    let url = server.url();
    let connection = Connection::to(&url);
    // As long a value as ours.
    let mut set = cmd("SET");
    set.arg("raw").arg(&[b'v'; 120][..]).arg("PX").arg(15_000);
    let raw = move || connection.run(&set);
    let mut targets = uncontended("Redis", raw, ours(&url), plan);
    let what = "Redis, hand-over between processes / BLPOP".to_owned();
    Connection::to(&url).give();
    let (ours, alone) = (workers(OURS, &url), workers(ALONE, &url));
    targets.push(hand_over(what, 1.5, ours, alone, plan));
    let locks = RedisLocks::new(&url).expect("its URL");
    let locks = locks.ttl(Duration::from_secs(3));
    let holds: Vec<_> = (0..HOLDS)
        .map(|key| locks.key(key).lock().expect("nobody else has it"))
        .collect();
    let close = |time| locks.close(time);
    targets.push(renewal("Redis", holds, close, plan));
    targets
}

pub(super) fn ours(url: &str) -> Take {
    let locks = RedisLocks::new(url).expect("its URL");
    Box::new(move || {
        let guard = locks.key("key").lock().expect("the server answers");
        Box::new(move || guard.release().expect("it was held"))
    })
}

/// A list with one element, which is taken and given back, with one connection for each who waits.
pub(super) fn alone(url: &str) -> Take {
    let connection = Rc::new(Connection::to(url));
    Box::new(move || {
        let connection = Rc::clone(&connection);
        let _: (String, String) = connection.run(cmd("BLPOP").arg("list").arg(0));
        Box::new(move || connection.give())
    })
}

/// The client, without us.
struct Connection {
    runtime: Runtime,
    client: MultiplexedConnection,
}

impl Connection {
    fn to(url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        // Who waits for an element waits for longer than its default.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let client = Client::open(url).expect("its URL");
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let client = runtime.block_on(connecting).expect("the server runs");
        Self { runtime, client }
    }

    fn run<T: FromRedisValue>(&self, command: &Cmd) -> T {
        let mut client = self.client.clone();
        let answer = self.runtime.block_on(command.query_async(&mut client));
        answer.expect("the server answers")
    }

    /// Adds the element.
    fn give(&self) {
        let _: usize = self.run(cmd("RPUSH").arg("list").arg("element"));
    }
}

//! `PostgreSQL`, beside tokio-postgres alone.

use super::beside::{Take, apart, hand_over, renewal, uncontended, workers};
use crate::measure::Plan;
use crate::target::Target;
use lockutils_postgres::PostgresLocks;
use lockutils_servers::Postgres;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

const HOLDS: usize = 2000;

/// How the processes take a lock.
pub(super) const OURS: &str = "PostgreSQL";
pub(super) const ALONE: &str = "pg_advisory_lock";

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    if !Postgres::available() {
        return Vec::new();
    }
    let (server, _pinned) = apart(Postgres::start);
    let url = server.url();
    let (runtime, client) = connect(&url);
    let select = runtime
        .block_on(client.prepare("SELECT 1"))
        .expect("it is SQL");
    let raw = move || {
        let answer = runtime.block_on(client.query_one(&select, &[]));
        answer.expect("the server answers");
    };
    let mut targets = uncontended("PostgreSQL", raw, ours(&url), plan);
    let what = "PostgreSQL, hand-over between processes / pg_advisory_lock".to_owned();
    let (ours, alone) = (workers(OURS, &url), workers(ALONE, &url));
    targets.push(hand_over(what, 2.0, ours, alone, plan));
    let locks = PostgresLocks::new(&url).expect("its URL");
    let locks = locks.ttl(Duration::from_secs(3));
    let holds: Vec<_> = (0..HOLDS)
        .map(|key| locks.key(key).lock().expect("nobody else has it"))
        .collect();
    let close = |time| locks.close(time);
    targets.push(renewal("PostgreSQL", holds, close, plan));
    targets
}

pub(super) fn ours(url: &str) -> Take {
    let locks = PostgresLocks::new(url).expect("its URL");
    Box::new(move || {
        let guard = locks.key("key").lock().expect("the server answers");
        Box::new(move || guard.release().expect("it was held"))
    })
}

/// The server's own lock and its queue, with one connection for each who waits.
pub(super) fn alone(url: &str) -> Take {
    let connected = Rc::new(connect(url));
    let run = |connected: &(Runtime, Client), sql| {
        let (runtime, client) = connected;
        let done = runtime.block_on(client.batch_execute(sql));
        done.expect("the server answers");
    };
    Box::new(move || {
        let connected = Rc::clone(&connected);
        run(&connected, "SELECT pg_advisory_lock(7)");
        Box::new(move || run(&connected, "SELECT pg_advisory_unlock(7)"))
    })
}

fn connect(url: &str) -> (Runtime, Client) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let connected = runtime.block_on(tokio_postgres::connect(url, NoTls));
    let (client, connection) = connected.expect("the server runs");
    runtime.spawn(connection);
    (runtime, client)
}

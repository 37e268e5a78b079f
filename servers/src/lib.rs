//! Servers for tests, as processes that a test starts, stops and kills.
//!
//! ```no_run
//! use lockutils_servers::{Proxy, Redis};
//!
//! if !Redis::available() {
//!     return; // It has said so. With LOCKUTILS_SERVERS=required it panics.
//! }
//! let redis = Redis::start();
//! let proxy = Proxy::to(redis.port());
//! redis.stop(); // SIGSTOP; `go_on` is SIGCONT.
//! redis.kill();
//! redis.restart(); // The same port, the same data; `restart_empty` has none.
//! proxy.drop_answers(1); // The server acts, and nobody is told.
//! ```
//!
//! - [`Server`] is one process with a directory of its own and a port of 127.0.0.1; what is special to
//!   a server is its [`Kind`]: [`Postgres`], [`Redis`], [`Etcd`]. A start waits until the server
//!   answers.
//! - [`EtcdCluster`] is three of them, [`PgBouncer`] a pooler before a [`Postgres`], and
//!   [`Proxy`] a network that breaks. [`Certificates`] are for those with TLS.
//! - [`faults!`] makes tests of what the locks of every server promise when processes, servers or
//!   networks fail, for who is a [`faults::Subject`].
//! - No server outlives the test for long, however that ends: a guard, which is a small shell,
//!   sees by the end of its standard input that the test is gone, kills what it guards and removes the
//!   directory.
//! - Ports are taken from below those that the system gives to outgoing connections, since one of these
//!   might otherwise have it while a server is being restarted.
//!
//! Which program is run can be told by `LOCKUTILS_POSTGRES` (the directory of `postgres` and `initdb`),
//! `LOCKUTILS_REDIS`, `LOCKUTILS_ETCD` and `LOCKUTILS_PGBOUNCER`, so that the same tests run with
//! others.

#![forbid(unsafe_code)]

mod certificates;
mod etcd;
pub mod faults;
mod pgbouncer;
mod port;
mod postgres;
mod process;
mod program;
mod proxy;
mod redis;
mod server;

pub use certificates::Certificates;
pub use etcd::{Etcd, EtcdCluster, EtcdKind};
pub use pgbouncer::{PgBouncer, PgBouncerKind};
pub use port::free as free_port;
pub use postgres::{Postgres, PostgresKind};
pub use proxy::Proxy;
pub use redis::{Redis, RedisKind};
pub use server::{Kind, Server};

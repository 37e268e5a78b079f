//! Locks of a PostgreSQL server for `lockutils`.

#![forbid(unsafe_code)]

mod claims;
mod fault;
mod holders;
mod id;
mod link;
mod open;
mod pooler;
mod session;
mod sql;
mod store;
mod tls;
mod url;

pub use session::PostgresSession;
pub use store::Postgres;

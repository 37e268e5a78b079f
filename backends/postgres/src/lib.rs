#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod backend;
mod claims;
mod fault;
mod holders;
mod hosts;
mod id;
mod link;
mod locks;
mod open;
mod pooler;
mod session;
mod sql;
mod store;
mod tls;
mod url;

pub use locks::{PostgresKey, PostgresLocks};
pub use session::PostgresSession;
pub use store::Postgres;

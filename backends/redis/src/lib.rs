//! Locks of a Redis or Valkey server for `lockutils`.

#![forbid(unsafe_code)]

mod fault;
mod name;
mod script;
mod session;
mod store;
mod url;
mod value;
mod watch;

pub use session::RedisSession;
pub use store::Redis;

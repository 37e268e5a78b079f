#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod fault;
mod locks;
mod name;
mod script;
mod session;
mod store;
mod url;
mod value;
mod watch;

pub use locks::RedisLocks;
pub use session::RedisSession;
pub use store::Redis;

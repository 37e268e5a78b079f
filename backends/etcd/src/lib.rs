#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod ask;
mod fault;
mod holds;
mod line;
mod link;
mod locks;
mod marks;
mod name;
mod places;
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]
mod proto;
mod session;
mod store;
#[cfg(feature = "rustls")]
mod tls;
mod url;
mod watch;

pub use locks::EtcdLocks;
pub use session::EtcdSession;
pub use store::Etcd;

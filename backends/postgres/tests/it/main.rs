//! The sessions and locks of `PostgreSQL`, at real servers.

mod conformance;
mod faults;
mod locks;
mod opening;
mod session;
#[cfg(feature = "rustls")]
mod tls;

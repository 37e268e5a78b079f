//! Locks of real etcd servers, which the tests start, stop and kill.

#![forbid(unsafe_code)]

mod api;
mod session;
#[cfg(feature = "rustls")]
mod tls;

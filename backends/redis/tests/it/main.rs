//! On real servers, which the tests start, stop and kill.

mod refused;
mod session;
mod setting;
#[cfg(feature = "rustls")]
mod tls;

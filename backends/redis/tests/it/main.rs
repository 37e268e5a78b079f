//! On real servers, which the tests start, stop and kill.

mod conformance;
mod faults;
mod locks;
mod queue;
mod refused;
mod session;
mod setting;
#[cfg(feature = "rustls")]
mod tls;

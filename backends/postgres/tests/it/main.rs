//! The sessions and locks of `PostgreSQL`, at real servers.

mod conformance;
mod contend;
mod faults;
mod locks;
mod opening;
mod other;
mod session;

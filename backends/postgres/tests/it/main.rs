//! The sessions and locks of `PostgreSQL`, at real servers.

mod opening;
mod session;

//! A server in memory, for tests.
//!
//! `server` is what it does, without a clock of its own, so that a simulation can drive it too;
//! `store` puts a network before it, and `locks` is the space that users have.

mod locks;
mod server;
mod store;
#[cfg(test)]
mod tests;

pub use locks::{FakeLocks, Faults};
pub use server::{FakeServer, NoSession};
pub use store::{FakeSession, FakeStore};

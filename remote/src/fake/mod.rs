//! A server in memory, for tests.

mod server;
#[cfg(test)]
mod tests;

pub use server::{FakeServer, NoSession};

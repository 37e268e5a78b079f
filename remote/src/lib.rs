//! Locks of a server for [`lockutils`]: leases, loss, fencing, and a fake server for tests.

#![forbid(unsafe_code)]

mod agent;
#[cfg(test)]
mod agent_tests;
mod asker;
mod calls;
mod clock;
#[doc(hidden)]
pub mod fake;
mod leases;
mod locks_of;
#[doc(hidden)]
pub mod protocol;
mod signal;
#[cfg(test)]
mod simulation;
mod slot;
mod space;
mod store;

pub use fake::{FakeLocks, FakeSession, FakeStore, Faults};
pub use leases::{LeaseHold, LeaseWait, Leases};
pub use space::{FromUrl, Remote};
pub use store::{
    Answer, Asked, Cause, Claim, Fault, Kept, Loss, Member, Query, Session, Shape, Store, Taken,
};

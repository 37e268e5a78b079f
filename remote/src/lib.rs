//! Locks of a server for [`lockutils`]: leases, loss, fencing, and a fake server for tests.

#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod fake;
#[doc(hidden)]
pub mod protocol;
#[cfg(test)]
mod simulation;
mod store;

pub use store::{
    Answer, Asked, Cause, Claim, Fault, Kept, Loss, Member, Query, Session, Shape, Store, Taken,
};

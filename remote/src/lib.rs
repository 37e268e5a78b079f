//! Locks of a server for [`lockutils`]: leases, loss, fencing tokens, and a server in memory for tests.
//!
//! Who takes locks uses the crate of a server, such as `lockutils-postgres`, and [`FakeLocks`] in its
//! tests, which has an example. Who writes an engine implements a [`Store`] and its [`Session`], and
//! makes the type of the space by [`locks_of!`].
//!
//! # What is promised
//!
//! | | |
//! |---|---|
//! | a lock that is free | one round trip; its release none that anybody waits for |
//! | in the process first | callers of one process have one queue, with deadlock detection and cancel safety; one of them at a time asks the server |
//! | loss | a hold is lost by the process's own clock, from before the last answered question was sent, a tenth of the lease before the server could give it to another; or at once when the server says so. The clock goes on while the machine sleeps |
//! | renewal | each third of a lease, by a thread of the space: whatever the program's threads and executors do |
//! | cancelling | what is granted to somebody who has gone is given back; an answer that got lost is taken for a grant, and released |
//! | time limits | are kept, also while the server is asked: one that is shorter than a round trip is a `Timeout` even where the lock is free, and its text says so. Zero is one try, which waits for its answer |
//! | a server that is silent | an error of the kind [`Unavailable`](lockutils::ErrorKind::Unavailable) after `answer_timeout`, or the caller's own deadline; nobody waits beyond |
//! | a connection that breaks | is made again; who waits asks again; who holds has lost, or not, by its lease |
//! | the holder | is named in errors, by `holder()` and by `states()`: host, process, command, place and since when |
//! | what is seen | waits, by who has the lock, as for any lock; how long the server takes to answer and what it doesn't, renewals and losses, in `lockutils::stats()`; `Event::Lost` tells an observer of a loss |
//! | executors | any, and none; Tokio runs in the space's thread alone. The fork of a process gets an error |
//!
//! # What is not
//!
//! Somebody who was stopped for longer than its lease may go on, for an instruction or for a write
//! that is under way, after another one has the lock. No lock of a server can keep it from that. Where
//! it matters, the [`Fence`](lockutils::Fence) goes along with the write, and whoever keeps the data
//! refuses a smaller one than it has seen.
//!
//! # How it works
//!
//! ```text
//! Remote<S> --- Leases (the engine) --- questions, releases ---> agent (a thread) --- Session ---> server
//!                    ^                                              |
//!                    +------- grants, loss, renewed deadlines ------+
//! ```
//!
//! The agent does what a state machine decides, which has no I/O, no threads and no clock, and so
//! is tested with any number of faults in no time.

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
pub mod percent;
#[doc(hidden)]
pub mod protocol;
mod record;
mod signal;
#[cfg(test)]
mod simulation;
mod slot;
mod space;
mod store;
mod timed;
#[doc(hidden)]
pub mod tls;
#[doc(hidden)]
pub mod url;

pub use fake::{FakeLocks, FakeSession, FakeStore, Faults};
pub use leases::{LeaseHold, LeaseWait, Leases};
pub use space::{FromUrl, Remote};
pub use store::{
    Answer, Asked, Cause, Claim, Fault, Freed, Kept, Loss, Member, Query, Session, Shape, Store,
    Taken,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;

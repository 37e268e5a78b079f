//! What the behaviour tests share.
//!
//! What every lock space must pass is a crate of its own, `lockutils-conformance`, and so is what
//! those cases and the tests here both use. Exclusion is proved by a [`Recorder`]: a holder
//! records from when to when it was inside, and no two stays may overlap. What a test waits for, it waits
//! for with a [`LIMIT`], so that a lock that nobody gets is a failure and not a test that
//! never ends. [`ByHand`] polls a future step by step, where a test is about one
//! certain order of steps, and [`waiters`] tells that a thread has got as far as the
//! queue. [`Process`] is another process, in Rust or in Python, for lock files in a
//! [`Directory`]. [`Lossy`] is
//! an engine whose locks can be lost. A [`Trace`] is a timeline that is valid. [`skip`] says that a test can't look here, and [`is_out_of_order`]
//! that it can't where locks have to be taken in one order.
//! [`uncontended`] is what is to cost next to nothing.

#![forbid(unsafe_code)]

mod directory;
mod disorder;
#[cfg(target_os = "linux")]
mod holder;
mod lossy;
#[cfg(target_os = "linux")]
mod nobody;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod python;
mod states;
mod trace;
pub mod uncontended;

pub use directory::Directory;
pub use disorder::is_out_of_order;
#[cfg(target_os = "linux")]
pub use holder::obey;
pub use lockutils_conformance::{
    ByHand, LIMIT, Lockstep, Recorder, Stay, eventually, in_time, is_stopped, skip, thread_states,
    yield_now,
};
pub use lossy::{Lossy, LossyLocks};
#[cfg(target_os = "linux")]
pub use nobody::{NOBODY, PlaceForGroup, as_member, as_nobody, some_group};
#[cfg(target_os = "linux")]
pub use process::{Process, now};
pub use states::{settled_waiters, states, waiters};
pub use trace::{Slice, Trace};

/// The code of the README and of the porting guide, which is to compile and to do what it says.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../PORTING.md")]
enum Guides {}

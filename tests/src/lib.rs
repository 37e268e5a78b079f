//! What the behaviour tests share.
//!
//! Exclusion is proved by a [`Recorder`]: who is inside a lock records from when
//! to when, and no two stays may overlap. What a test waits for, it waits for with
//! a [`LIMIT`], so that a lock that nobody gets is a failure and not a test that
//! never ends. [`ByHand`] polls a future step by step, where a test is about one
//! certain order of steps, and [`waiters`] tells that a thread has got as far as the
//! queue. [`Process`] is another process, in Rust or in Python, for lock files in a
//! [`Directory`]. [`skip`] says that a test can't look here.
//! [`mod@conformance`] is what every lock space must pass, and
//! [`uncontended`] what is to cost next to nothing.

#![forbid(unsafe_code)]

mod by_hand;
pub mod conformance;
mod directory;
#[cfg(target_os = "linux")]
mod holder;
mod limit;
mod lockstep;
#[cfg(target_os = "linux")]
mod nobody;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod python;
mod recorder;
mod skip;
mod states;
pub mod uncontended;

pub use by_hand::ByHand;
pub use directory::Directory;
#[cfg(target_os = "linux")]
pub use holder::obey;
pub use limit::{LIMIT, eventually, in_time, yield_now};
pub use lockstep::Lockstep;
#[cfg(target_os = "linux")]
pub use nobody::{NOBODY, as_nobody};
#[cfg(target_os = "linux")]
pub use process::{Process, now};
pub use recorder::{Recorder, Stay};
pub use skip::skip;
pub use states::{states, waiters};

/// The code of the README and of the porting guide, which is to compile and to do what it says.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../PORTING.md")]
enum Guides {}

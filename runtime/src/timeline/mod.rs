//! What locks have done, as a picture: who held them and who waited, and when.
//!
//! [`recorder`] keeps what is over: [`rows`] of holds and waits, bounded in bytes. A recording has all of
//! them, by [`exact`](crate::table::exact) mode, and they are written part by part while it lasts; the flight
//! recorder has the last waits, and the holds that were seen in somebody's way, for as long as somebody serves. [`chrome`]
//! draws them, and [`mod@record`] is the call.
//!
//! Few programs draw, so all functions for that are `#[inline]`: who calls them compiles them, and
//! nobody else.

pub(crate) mod carry;
pub(crate) mod chrome;
pub(crate) mod picture;
pub(crate) mod record;
pub(crate) mod recorder;
pub(crate) mod rows;
mod tracks;
mod walk;

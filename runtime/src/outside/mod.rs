//! Locks that are outside of this process, of whatever engine.
//!
//! An [`engine`] takes and releases one lock, and knows how to wait for it. A [`machine`] puts a
//! queue in this process before it, the [`mod@line`]; [`queued`] is the space of it all. [`places`]
//! are for engines that know their locks by name alone. [`asking`] knows who asks outside, and
//! `listened` tells those who listen of the waits among them.

pub(crate) mod asking;
mod engine;
mod line;
mod listened;
mod machine;
mod places;
mod queued;
mod request;

pub(crate) use asking::{Asking, all as all_asking, waits as all_waits};
pub use engine::{Answer, Ask, Engine, Pause};
pub use line::Line;
#[cfg(feature = "file")]
pub(crate) use machine::ATTEMPTS;
pub use machine::Outside;
pub use places::{InUse, Places};
pub use queued::Queued;

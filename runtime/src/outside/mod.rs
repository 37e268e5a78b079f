//! Locks that are outside of this process, of whatever engine.
//!
//! An [`engine`] takes and releases one lock, and knows how to wait for it. A [`machine`] puts a
//! queue in this process before it, the [`mod@line`]; [`queued`] is the space of it all. [`places`]
//! are for engines that know their locks by name alone.

mod asking;
mod engine;
mod line;
mod machine;
mod places;
mod queued;

pub(crate) use asking::{Asking, all as all_asking};
pub use engine::{Answer, Ask, Engine, Pause};
pub use line::Line;
pub(crate) use machine::ATTEMPTS;
pub use machine::Outside;
pub use places::{InUse, Places};
pub use queued::Queued;

//! What locks of a server must stand: a function is a case, and panics where they don't.
//!
//! [`faults!`](crate::faults!) makes a test of each.

#![expect(
    clippy::missing_panics_doc,
    reason = "a case panics where the locks fail it, and nowhere else"
)]

mod intervals;
mod network;
mod processes;
mod restarts;
mod settings;

pub use intervals::*;
pub use network::*;
pub use processes::*;
pub use restarts::*;
pub use settings::*;

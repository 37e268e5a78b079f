//! Being told what happens where locks are waited for.
//!
//! Locks that nobody waits for cost the same whether anybody listens or not, and nothing is told of
//! them: a hold does no harm until somebody waits for it, and from then on all is known.
//!
//! ```
//! use lockutils::observe::{self, Event, Observer};
//!
//! struct Warn;
//!
//! impl Observer for Warn {
//!     fn event(&self, event: &Event<'_>) {
//!         match event {
//!             Event::LongWait(wait, time) => eprintln!("{wait:?} for {time:?}"),
//!             Event::Deadlock(deadlock) => eprintln!("{deadlock}"),
//!             _ => {}
//!         }
//!     }
//! }
//!
//! observe::set_observer(&Warn)?;
//! # Ok::<(), observe::AlreadySet>(())
//! ```

pub(crate) mod event;
pub(crate) mod holds;
pub(crate) mod listen;
pub(crate) mod outcome;
pub(crate) mod tell;

pub use self::event::{Event, Hold, Wait};
pub use self::holds::long_holds;
pub use self::outcome::Outcome;
pub use self::tell::{AlreadySet, Observer, set_observer};

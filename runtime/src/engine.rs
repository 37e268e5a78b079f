//! What stands between the attribute and the lock engines; who takes locks needs none of it.
//!
//! Expanded code and the handles call a [`Space`], which is a [`Locks`](crate::Locks), a
//! [`FileLocks`](crate::FileLocks), or a type that wraps one of them, to count its acquisitions, say:
//!
//! ```
//! use lockutils::engine::{Acquire, Mode, Space};
//! use lockutils::{Key, LockKey, Locks, Site, synchronized};
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! struct Counted { locks: Locks, taken: AtomicU64 }
//!
//! impl Space for Counted {
//!     type Machine = <Locks as Space>::Machine;
//!
//!     fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<Self::Machine> {
//!         self.taken.fetch_add(1, Ordering::Relaxed);
//!         self.locks.wait(key, mode, site)
//!     }
//!
//!     fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<Self::Machine> {
//!         self.taken.fetch_add(1, Ordering::Relaxed);
//!         self.locks.wait_all(keys, mode, site)
//!     }
//! }
//!
//! static CELLS: Counted = Counted { locks: Locks::new("cells"), taken: AtomicU64::new(0) };
//!
//! #[synchronized(key = uuid, locks = CELLS)]
//! fn connect(uuid: &str) {}
//!
//! connect("2f1c");
//! assert_eq!(CELLS.taken.load(Ordering::Relaxed), 1);
//! ```

pub use crate::acquire::Acquire;
pub use crate::drive::{By, Failure, Machine, Outcome, Patience};
pub use crate::file::Files;
pub use crate::local::InProcess;
pub use crate::outside::{
    Answer, Ask, Engine, InUse, Line, Outside, Pause, Places, Queued, Refusal,
};
pub use crate::owner::Task;
pub use crate::space::{Begun, Space};
pub use crate::table::policy::{Mode, Reentry};

//! What stands between the attribute and the lock engines; who takes locks needs none of it.
//!
//! Expanded code and the handles call a [`Space`], which is a [`Locks`](crate::Locks), a
//! [`FileLocks`](crate::FileLocks), or a type that wraps one of them, to count its acquisitions, say:
//!
//! ```
//! use lockutils::engine::{Begun, Space, Task, Terms, Wait};
//! use lockutils::{Key, LockKey, Locks, Site, synchronized};
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! struct Counted { locks: Locks, taken: AtomicU64 }
//!
//! impl Space for Counted {
//!     type Wait = <Locks as Space>::Wait;
//!
//!     fn wait(&self, key: &dyn LockKey, terms: Terms, site: Site) -> Self::Wait {
//!         self.taken.fetch_add(1, Ordering::Relaxed);
//!         self.locks.wait(key, terms, site)
//!     }
//!
//!     fn wait_all(&self, keys: Vec<Key>, terms: Terms, site: Site) -> Self::Wait {
//!         self.taken.fetch_add(1, Ordering::Relaxed);
//!         self.locks.wait_all(keys, terms, site)
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

pub use crate::space::{Begun, Reentry, Space, Task, Terms, Wait};

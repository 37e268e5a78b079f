//! What stands between the attribute and the lock engines; who takes locks needs none of it.
//!
//! Expanded code and the handles call a [`Space`], which is a [`Locks`](crate::Locks), a
//! [`FileLocks`](crate::FileLocks), a [`Queued`] space of another engine, or a type that wraps one
//! of them.
//!
//! # An engine
//!
//! An [`Engine`] takes and releases locks that are outside of the process: in a file system, or at
//! a server. [`Queued`] makes a space of it, with all that is the same for every engine: the
//! queue in the process, deadlocks and cancel safety, timeouts, sharers, threads that go in again,
//! several keys at once, and the errors. What is left is in these methods:
//!
//! | the engine says | by |
//! |---|---|
//! | what a key's lock is called outside, or that it can't have one | [`Engine::locate`] |
//! | what it knows of a lock while somebody uses it | [`Engine::place`], with [`Places`] |
//! | whether the lock is to be had, and when to look again if not | [`Engine::poll`], with a [`Pause`] if it can't be told |
//! | how it is released | [`Drop`] of its [`Engine::Hold`] |
//! | who has it, and what its path is, for texts | [`Engine::holder`], [`Engine::path`] |
//!
//! This is a complete one. Its last module is how to test it: the crate `lockutils-conformance` has
//! a test for all that a space promises, and tells what an engine has forgotten.
//!
//! ```
#![doc = include_str!("../docs/mkdir.rs")]
//! ```
//!
//! # A wrapper
//!
//! A space that counts its acquisitions. It is tested by the same crate.
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
pub use crate::begun::Begun;
pub use crate::drive::{By, Failure, Machine, Outcome, Patience};
pub use crate::file::Files;
pub use crate::local::InProcess;
pub use crate::outside::{
    Answer, Ask, Engine, InUse, Line, Outside, Pause, Places, Queued, Refusal,
};
pub use crate::owner::Task;
pub use crate::space::Space;
pub use crate::table::policy::{Mode, Reentry};

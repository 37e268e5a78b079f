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
//! | that a pending step waits for an answer, and not for whoever has the lock | [`Engine::is_behind`] |
//! | why there is none, for the text of who gives up | [`Engine::unanswered`] |
//! | who has it, and what its path is, for texts | [`Engine::holder`], [`Engine::path`] |
//! | that it can be held shared | [`Sharable`], implemented for the engine |
//! | that its holds can be lost | [`Engine::Proof`], see [below](#locks-that-can-be-lost) |
//! | how to look at a lock without taking it | [`Inspect`], implemented for a type of its own that wraps the space |
//!
//! The crate of an engine needs none of the default [features](crate#features-and-platforms).
//!
//! This is a complete one. Its last module is how to test it: the crate `lockutils-conformance` has
//! a test for all that a space promises, and tells what an engine has forgotten.
//!
//! ```
#![doc = include_str!("../docs/mkdir.rs")]
//! ```
//!
//! # Locks that can be lost
//!
//! A server gives a lock for a time, its lease, and who doesn't renew it in time has lost the lock,
//! maybe without a word. An engine of such locks says so by its types: its [`Engine::Proof`] is a
//! [`Lease`], and the guards of its space are [`LeaseGuard`](crate::LeaseGuard)s, which
//! tell of the loss and of the fencing token. [`Engine::proof`] gives them a clone of the lease
//! that the hold has, and whoever talks to the server has another one:
//!
//! | when | the engine calls |
//! |---|---|
//! | the lock is granted | [`Lease::new`], with the fencing token, and what looks at the clock |
//! | the server says that it is lost, or the lease ends without a renewal | [`Lease::lose`] |
//! | the hold is dropped, before the server is told | [`Lease::release_begins`] |
//! | the server has answered to the release, or is given up | [`Lease::released`] |
//!
//! The clock of a lease is that of this process, and starts before the question went out that the
//! server granted or renewed it by; so the lock is lost here before it is had elsewhere.
//!
//! ```
//! use lockutils::Key;
//! use lockutils::engine::Lease;
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//! use std::time::{Duration, Instant};
//!
//! /// A server, for this example: which locks it has given away.
//! #[derive(Default)]
//! struct Server(Mutex<HashMap<Key, Lease>>);
//!
//! /// What `Engine::poll` gives.
//! struct Held { server: Arc<Server>, name: Key, lease: Lease }
//!
//! impl Server {
//!     fn grant(self: Arc<Self>, name: Key, fence: u64) -> Held {
//!         let until = Instant::now() + Duration::from_secs(15);
//!         let valid_for = move || until.saturating_duration_since(Instant::now());
//!         let lease = Lease::new(fence, valid_for);
//!         self.0.lock().unwrap().insert(name.clone(), lease.clone());
//!         Held { server: self, name, lease }
//!     }
//!
//!     /// An operator has ended the session, say.
//!     fn end(&self, name: &Key) {
//!         if let Some(lease) = self.0.lock().unwrap().remove(name) {
//!             lease.lose("an operator has ended it");
//!         }
//!     }
//! }
//!
//! impl Drop for Held {
//!     fn drop(&mut self) {
//!         self.lease.release_begins();
//!         self.server.0.lock().unwrap().remove(&self.name);
//!         self.lease.released(Ok(()));
//!     }
//! }
//!
//! # let server = Arc::new(Server::default());
//! # let held = Arc::clone(&server).grant(Key::new("key"), 1);
//! # assert!(!held.lease.is_lost());
//! # server.end(&Key::new("key"));
//! # assert!(held.lease.is_lost() && held.lease.valid_for().is_zero());
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
pub use crate::boottime::boottime;
pub use crate::costs::Question;
pub use crate::digest::sha256;
pub use crate::drive::{AsyncGuardOf, By, Failure, GuardOf, Machine, Outcome, Patience, Sharable};
#[cfg(feature = "file")]
pub use crate::file::Files;
pub use crate::inspectable::Inspect;
pub use crate::lease::Lease;
pub use crate::local::InProcess;
pub use crate::name::remember;
pub use crate::outside::{Answer, Ask, Engine, InUse, Line, Outside, Pause, Places, Queued};
pub use crate::owner::Task;
pub use crate::proof::Proof;
pub use crate::refusal::Refusal;
pub use crate::server::note_answer;
pub use crate::space::Space;
pub use crate::table::policy::{Mode, Reentry};

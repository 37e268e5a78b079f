//! Functions that run only once at a time **for each key**: between threads and async tasks
//! alike, and between processes where you ask for it.
//!
//! ```
//! use lockutils::synchronized;
//!
//! #[synchronized(key = id)]
//! fn attach(id: u64) { /* no other caller is in here for this id */ }
//!
//! #[synchronized(key = id)]
//! async fn detach(id: u64) { /* nor one in `attach`: the key is the same */ }
//! # attach(7);
//! ```
//!
#![doc = include_str!("../docs/model.svg")]
//!
//! A **key** is what callers exclude each other on: its text decides, so `7` and `"7"` are one.
//! A **lock space** is where keys mean something, and (space, key) is one lock: [`Locks`] for the
//! process, [`FileLocks`] for all processes of a host. Who has the lock is its **holder**, and a
//! **guard** is the proof; dropping that releases. A key that nobody holds or awaits costs nothing.
//!
//! # Which of these do I use?
//!
//! | what must not happen twice at once | use |
//! |---|---|
//! | a whole function, for each of its arguments | [`#[synchronized("vm-{id}")]`](macro@synchronized) |
//! | a part of a function, or a lock that outlives it | a space of your own: [`LOCKS.key(id).lock()`](Handle::lock), [`lock(key!("vm-{id}"))`](key!) |
//! | the use of one value that you own | not this crate: a plain mutex *around* the value |
//! | one thing a process, without a key | [`#[synchronized]`](macro@synchronized) without an argument |
//! | anything that exists once on a host: a file, a device, a schema | [`#[synchronized("schema", external)]`](macro@synchronized), [`FileLocks`] |
//! | more than four at a time | [`Locks::permits`] |
//! | writing, while many may read | [`shared`](Handle::shared) for who reads |
//! | two accounts, for one transfer | [`keys = [from, to]`](Locks::keys), in one order for all callers |
//! | a job that is skipped while it still runs | [`try_lock`](Handle::try_lock), `nonblocking` |
//! | waiting for longer than you want | [`lock_timeout`](Handle::lock_timeout), `acquire_timeout = "5s"` |
//! | what exists once for many hosts | a lock of a server, and maybe more than a lock: [the guide](guide) says when |
//!
//! # Who waits for whom
//!
//! For one key of one space; different keys and different spaces never wait for each other.
//!
//! | somebody has it | who comes exclusively | who comes shared |
//! |---|---|---|
//! | exclusively, in a thread or a task | waits | waits |
//! | shared | waits | goes in, unless an exclusive one waits already |
//! | in a space with `permits(n)`, fewer than `n` | goes in | goes in, and takes a permit |
//! | the same thread, exclusively | a [`Deadlock`](ErrorKind::Deadlock), found at once | the same |
//! | the same thread, which comes by [`reentrant`](Handle::reentrant) | goes in | goes in |
//! | the same task, exclusively | waits for ever, which is [reported](set_deadlock_hook) after a second | the same |
//! | a task, and a thread comes that the task's runtime needs | may wait for ever, which is [reported](set_deadlock_hook) after a second: use the async form | the same |
//! | another process, of a [`FileLocks`] | waits | waits, unless that one shares it too |
//! | another process, of a [`Locks`] | goes in: a process sees its own memory alone | the same |
//!
//! # In a thread, and in a task
//!
//! Both wait in one queue and exclude each other. A thread blocks; a task lets others run, and
//! its guard can be sent along with it.
//!
//! | | in a thread | in a task |
//! |---|---|---|
//! | the attribute | above `fn` | above `async fn`: held over every `.await` |
//! | wait | [`lock()`](Handle::lock) | [`lock_async().await`](Handle::lock_async) |
//! | for so long and no longer | [`lock_timeout(d)`](Handle::lock_timeout) | [`lock_timeout_async(d).await`](Handle::lock_timeout_async) |
//! | not at all | [`try_lock()`](Handle::try_lock) | [`try_lock_async().await`](Handle::try_lock_async) |
//! | the guard | [`Guard`], which stays in its thread | [`AsyncGuard`], which is [`Send`] |
//!
//! A blocking `lock()` inside of async code blocks the executor's thread, and where a task of the
//! same executor holds the key, maybe for ever: use the right-hand side there.
//!
//! # Where a lock is not to be had
//!
//! Waiting for a lock in the process can't fail, so [`lock()`](Handle::lock) gives a guard and any
//! function may have the attribute. Where it can, by a timeout, a try or a file, the type is
//! `Result<_, `[`Error`]`>`, and the attribute wants a return type with a place for it, or an
//! `or_else`. The body never runs without the lock. An error says which lock, and who has it:
//!
//! ```
//! use lockutils::{ErrorKind, Locks};
//!
//! static CELLS: Locks = Locks::new("cells");
//!
//! let _guard = CELLS.key("2f1c").lock();
//! let error = CELLS.key("2f1c").try_lock().unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Busy);
//! println!("{error}"); // lock "cells/2f1c" is busy: held by src/main.rs:5 in thread "main"
//! ```
//!
//! # What is going on
//!
//! [`report()`] says why threads and tasks wait: which place in the code keeps which lock, and who is
//! behind it. Tasks are called by the name that [`named()`] gives them. A program that has
//! `inspect::from_env()` in its `main` (feature `inspect`) needs no call where it hangs: the command
//! `lockutils why` asks it, and `lockutils top` shows its locks as they change.
//!
//! [`snapshot()`] lists every lock of the process that is held or awaited: who has it and where,
//! who waits, and for how long. [`FileLocks::states`] does so for lock files, of all processes,
//! and the command `lockutils ps` shows it. [`set_deadlock_hook`] is told of what may be stuck.
//!
//! Locks that are taken in two orders will be a deadlock one day: [`LOCKUTILS_LOCK_ORDER=panic cargo
//! test`](observe::lock_order) finds them though the two never meet.
//!
//! # What locks cost
//!
//! [`profile()`] says which places in the code make others wait, and whom. [`stats()`] has the same
//! and more for Prometheus, without the keys. An [observer](observe) is told of each wait, and of
//! those that last. Each of them counts from its first call on, and only where somebody waits: a
//! lock that is free costs not an instruction more. What happened when, of free locks too, [`observe::record`]
//! writes as a timeline; meanwhile it costs those more.
//!
//! # In the child of a fork
//!
//! A child that goes on without starting a program has a copy of the locks in memory, and one thread. What that thread
//! holds it still holds; what other threads held is held for ever, as is a mutex of theirs. A lock that another thread
//! was just taking or releasing is left half-done: the child would wait for ever that asks for it, or for one of some
//! that share its place. No handler of `pthread_atfork` could prevent that, since the fast path takes no mutex that it
//! could have. So fork before other threads use locks, or start a program, as it is with all that has threads. Lock
//! files go on to exclude parent and child.
//!
//! # Features and platforms
//!
//! | feature | |
//! |---|---|
//! | `attribute` | by default: [`synchronized`], `#[derive(LockKey)]` and [`key!`]; the macros, with `syn`, `quote` and `proc-macro2` |
//! | `file` | by default: lock files, [`FileLocks`] and `external`; no other crate |
//! | `inspect` | the module `inspect`: a socket, by which the command `lockutils` sees the locks of a running process; with `file`; no other crate |
//! | `metrics` | waits as [metrics](observe#metrics) of the crate `metrics`; 3 crates |
//! | `tracing` | waits as [spans and events](observe#tracing) of the crate `tracing`; 4 crates |
//! | `usdt` | [probes](observe#probes) of waits, for bpftrace and other tracers; 1 crate |
//! | `uuid` | `uuid::Uuid` is a key |
//!
//! There is no async runtime among the dependencies, and any will do. Rust 1.85 or later. What is
//! in a program's memory works wherever the standard library does; of [`FileLocks`], see
//! [On other systems](FileLocks#on-other-systems).
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod acquire;
mod alarm;
#[cfg(all(test, not(loom)))]
mod alone;
mod arrivals;
mod begun;
mod boottime;
#[cfg(target_os = "linux")]
mod clock;
mod costs;
mod culprit;
mod deadlock;
#[cfg(feature = "file")]
mod default;
mod digest;
mod drive;
pub mod engine;
mod error;
mod fence;
#[cfg(feature = "file")]
mod file;
mod foreign;
#[cfg(all(test, target_os = "linux", not(loom)))]
mod forked;
mod future;
mod given;
mod global;
mod graph;
mod guard;
#[doc = include_str!("../docs/WHICH.md")]
pub mod guide {
    #[doc = include_str!("../docs/HANGS.md")]
    pub mod hangs {}
}
mod handle;
mod held;
mod holder;
#[cfg(feature = "inspect")]
pub mod inspect;
mod inspectable;
mod json;
mod key;
mod keys;
mod lasted;
mod lease;
mod leased;
mod local;
mod loss;
mod name;
mod named;
pub mod observe;
mod order;
#[doc(hidden)]
pub mod ordered;
mod outside;
mod owner;
mod process;
mod profile;
mod proof;
mod refusal;
mod report;
mod returned;
mod server;
mod signal;
mod site;
mod snapshot;
mod space;
mod state;
mod stats;
mod sync;
mod table;
mod timeline;
mod timer;
mod worker;

pub use crate::deadlock::{Deadlock, set_deadlock_hook};
#[cfg(feature = "file")]
pub use crate::default::{file_locks, set_file_locks};
pub use crate::error::{Error, ErrorKind};
pub use crate::fence::Fence;
#[cfg(feature = "file")]
pub use crate::file::{
    FileHandle, FileKeysHandle, FileLockFuture, FileLocks, FileStates, ReentrantFileHandle, Swept,
};
pub use crate::future::{LockFuture, LockTimeoutFuture, TryLockFuture};
pub use crate::global::{global, is_locked, lock, lock_async, try_lock};
pub use crate::guard::{AsyncGuard, Guard};
pub use crate::handle::{Handle, KeysHandle, ReentrantHandle};
pub use crate::holder::Holder;
pub use crate::key::{Key, KeyWriter, LockKey};
pub use crate::leased::{AsyncLeaseGuard, LeaseGuard, Leased, Lost};
pub use crate::local::Locks;
pub use crate::named::{Named, named};
pub use crate::profile::{Profile, profile};
pub use crate::report::{Cause, Report, report};
pub use crate::site::Site;
pub use crate::snapshot::snapshot;
pub use crate::space::{FromFailure, Space};
pub use crate::state::{LockState, Waiter};
pub use crate::stats::{Sample, Stats, stats};
// What the compiler names in its errors about expanded code, so that it does by this path.
#[doc(hidden)]
pub use crate::{
    __private::{OrElse, Passed, kept, or_else},
    given::{LivesOn, MadeAtEveryCall},
    guard::{HeldByThread, MayChangeThread, ThreadMark},
    loss::{CanBeLost, HeldThroughout, MayBeLost},
    returned::{FutureOrStream, RunsDuringTheCall},
};
#[cfg(feature = "attribute")]
pub use lockutils_macros::{LockKey, synchronized};

// So that `::lockutils` in expanded code is this crate in its own tests as well.
extern crate self as lockutils;

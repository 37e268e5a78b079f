//! Locks of whichever server a URL names, for [`lockutils`].
//!
//! ```
//! use lockutils::{Error, synchronized};
//! use lockutils_any::AnyLocks;
//! use std::env;
//! use std::sync::LazyLock;
//!
//! static JOBS: LazyLock<AnyLocks> = LazyLock::new(|| {
//!     let url = env::var("LOCKS").unwrap_or_else(|_| "memory://jobs".to_owned());
//!     AnyLocks::new(&url).expect("`LOCKS` is a URL of a server").prefix("billing")
//! });
//!
//! #[synchronized("invoice-{id}", locks = JOBS, guard = lease)]
//! fn bill(id: u64) -> Result<u64, Error> {
//!     lease.check()?;
//!     Ok(lease.fence().get())
//! }
//!
//! assert!(bill(7)? < bill(7)?);
//! # Ok::<(), Error>(())
//! ```
//!
//! | URL | server | feature |
//! |---|---|---|
//! | `postgres://user:password@host:port/database` | PostgreSQL, see `lockutils-postgres` | `postgres` |
//! | `etcd://host:port,host:port`, `http://` | etcd, see `lockutils-etcd` | `etcd` |
//! | `redis://user:password@host:port` | Redis or Valkey, see `lockutils-redis` | `redis` |
//! | `memory://NAME` | none: the memory of the process, for tests | |
//!
//! `etcds://` and `https://`, `rediss://`, and `postgres://` with `sslmode=require` need the feature
//! `rustls` as well.
//!
//! # What it promises, and what it can't
//!
//! What the engine does. The first page of its crate says which server settings matter, how to see the locks
//! on the server, and when two may be in. Two kinds of server never exclude each other: all
//! programs have to be given the same one.
//!
//! `memory://NAME` is one server for each name and process: two [`AnyLocks::new`] with one name exclude
//! each other, as two programs would, and other processes don't. Its faults can be had by script with
//! [`FakeLocks`](lockutils_remote::FakeLocks) of the same name.
//!
//! Shared holds aren't there, since not every server has them: it is a compile error to ask for one.

#![forbid(unsafe_code)]

mod store;
mod url;

pub use store::{Any, AnySession};

use lockutils_remote::locks_of;

locks_of! {
    /// The locks of whichever server a URL names; see the [crate](crate).
    ///
    /// Clones are the same space: one connection, one thread, one queue in the process.
    pub struct AnyLocks(Any) from url;
}

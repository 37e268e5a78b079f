#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod deadlock;
mod error;
mod file;
mod guard;
mod key;
mod local;
mod owner;
mod site;
mod snapshot;
mod space;
mod sync;
mod timer;

pub use crate::deadlock::{Deadlock, set_deadlock_hook};
pub use crate::error::{Error, ErrorKind};
pub use crate::file::{
    FileHandle, FileKeysHandle, FileLockFuture, FileLocks, FileStates, ReentrantFileHandle, Swept,
    file_locks, set_file_locks,
};
pub use crate::guard::{AsyncGuard, Guard};
pub use crate::key::{Key, KeyWriter, LockKey};
pub use crate::local::{
    Handle, KeysHandle, LockFuture, LockTimeoutFuture, Locks, ReentrantHandle, global, is_locked,
    lock, lock_async, try_lock,
};
pub use crate::site::{Holder, Site};
pub use crate::snapshot::{LockState, snapshot};
pub use crate::space::{Begun, Space, Task, Terms, Wait};
pub use lockutils_macros::{LockKey, synchronized};

// So that `::lockutils` in expanded code is this crate in its own tests as well.
extern crate self as lockutils;

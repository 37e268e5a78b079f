//! The process-wide space, for locks that need no space of their own.

use crate::error::Error;
use crate::future::LockFuture;
use crate::guard::Guard;
use crate::key::LockKey;
use crate::local::Locks;
use crate::table::policy::Class;

static GLOBAL: Locks = Locks::of_class("global", Class::Key);

/// The process-wide lock space, which `#[synchronized(key = ..)]` uses.
///
/// # Examples
///
/// ```
/// let guard = lockutils::global().key("name").lock();
/// assert!(lockutils::is_locked("name"));
/// # drop(guard);
/// ```
#[must_use]
#[inline]
pub fn global() -> &'static Locks {
    &GLOBAL
}

/// Acquires a lock of the process-wide space, and blocks the thread until it has it.
///
/// As [`Handle::lock`](crate::Handle::lock) does.
///
/// # Panics
///
/// If waiting would never end, as [`Handle::lock`](crate::Handle::lock).
///
/// # Examples
///
/// ```
/// let guard = lockutils::lock("name");
/// assert!(lockutils::is_locked("name"));
/// ```
#[inline]
#[track_caller]
pub fn lock(key: impl LockKey) -> Guard {
    GLOBAL.key(key).lock()
}

/// Acquires a lock of the process-wide space, and lets other tasks run until it has it.
///
/// As [`Handle::lock_async`](crate::Handle::lock_async) does.
///
/// # Cancel safety
///
/// Dropping the future leaves the queue; a lock that was just being handed over
/// to it goes to the next waiter.
///
/// # Examples
///
/// ```
/// async fn reload() {
///     let _guard = lockutils::lock_async("configuration").await;
/// }
/// ```
#[inline]
#[track_caller]
pub fn lock_async(key: impl LockKey) -> LockFuture {
    GLOBAL.key(key).lock_async()
}

/// Acquires a lock of the process-wide space if nobody holds it.
///
/// # Errors
///
/// [`ErrorKind::Busy`](crate::ErrorKind::Busy), also when it is the caller who holds it.
///
/// # Examples
///
/// ```
/// let guard = lockutils::try_lock("sweep")?;
/// assert!(lockutils::try_lock("sweep").is_err());
/// # drop(guard);
/// # Ok::<(), lockutils::Error>(())
/// ```
#[track_caller]
pub fn try_lock(key: impl LockKey) -> Result<Guard, Error> {
    GLOBAL.key(key).try_lock()
}

/// Tells whether somebody holds a lock of the process-wide space.
///
/// For tests and assertions: by the time it returns, the answer may be old.
///
/// # Examples
///
/// ```
/// assert!(!lockutils::is_locked("name"));
/// ```
#[must_use]
pub fn is_locked(key: impl LockKey) -> bool {
    GLOBAL.key(key).is_locked()
}

/// Panics unless somebody holds the lock.
///
/// For functions that must be called under a lock, and for tests. It can't tell
/// whether the holder is the caller.
///
/// # Examples
///
/// ```
/// use lockutils::{Locks, assert_locked};
///
/// static CELLS: Locks = Locks::new("cells");
///
/// fn forget(uuid: &str) {
///     assert_locked!(CELLS, uuid);
/// }
///
/// let _guard = CELLS.key("2f1c").lock();
/// forget("2f1c");
///
/// let _guard = lockutils::lock("name");
/// assert_locked!("name");
/// ```
#[macro_export]
macro_rules! assert_locked {
    ($key:expr $(,)?) => {
        $crate::global().key(&$key).assert_locked()
    };
    ($space:expr, $key:expr $(,)?) => {
        $space.key(&$key).assert_locked()
    };
}

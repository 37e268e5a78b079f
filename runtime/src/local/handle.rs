//! The handle of one lock, and what can be done with it.

use super::{LockFuture, Locks};
use crate::error::{Error, LockName};
use crate::guard::Guard;
use crate::key::{Key, LockKey};
use crate::site::Site;

/// One lock of a space: a key, not yet held.
///
/// Made by [`Locks::key`].
#[derive(Clone, Debug)]
#[must_use = "a handle locks nothing until one of its methods is called"]
pub struct Handle<'a, K> {
    locks: &'a Locks,
    key: K,
}

impl<'a, K: LockKey> Handle<'a, K> {
    pub(super) const fn new(locks: &'a Locks, key: K) -> Self {
        Self { locks, key }
    }

    /// Acquires the lock, and blocks the thread until it has it.
    ///
    /// In async code use [`Handle::lock_async`], which lets other tasks run.
    ///
    /// Taking a key that the caller itself holds waits for ever.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> Guard {
        self.locks.hold(&self.key, Site::here())
    }

    /// Acquires the lock, and lets other tasks run until it has it.
    ///
    /// Works under any executor.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the queue; a lock that was just being handed
    /// over to it goes to the next waiter.
    #[inline]
    #[track_caller]
    pub fn lock_async(&self) -> LockFuture {
        self.locks.hold_async(&self.key, Site::here())
    }

    /// Acquires the lock if nobody holds it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy), also when it is the caller who
    /// holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Result<Guard, Error> {
        self.locks.hold_now(&self.key, Site::here())
    }

    /// Tells whether somebody holds the lock.
    ///
    /// For tests and assertions: by the time it returns, the answer may be old.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locks.is_held(&self.key)
    }

    /// Panics unless somebody holds the lock; behind [`assert_locked!`](crate::assert_locked).
    #[doc(hidden)]
    #[track_caller]
    pub fn assert_locked(&self) {
        let (space, key) = (self.locks.name, &Key::of(&self.key));
        assert!(
            self.is_locked(),
            "lock {} is not held; its holder must call this",
            LockName { space, key }
        );
    }
}

//! Looking at the locks of a space that are outside of this process.

use crate::error::Error;
use crate::handle::Handle;
use crate::holder::Holder;
use crate::key::{Key, LockKey};
use crate::name::LockName;
use crate::site::Site;
use crate::space::Space;
use crate::table::policy::Mode;

/// A space whose locks can be looked at without taking them, by the handles of it:
/// [`Handle::is_locked`] and [`Handle::holder`]. For who writes an engine. Both may block the thread
/// until there is an answer.
#[diagnostic::on_unimplemented(
    message = "the locks of `{Self}` can't be looked at",
    label = "it can't say whether a lock is held",
    note = "`try_lock` tells whether a lock is free by taking it"
)]
pub trait Inspect: Space {
    /// Whether somebody holds the lock, in whatever process.
    ///
    /// # Errors
    ///
    /// If that can't be seen.
    fn is_locked(&self, key: &Key) -> Result<bool, Error>;

    /// Who holds the lock, of shared holders one; `None` if nobody does, or if that isn't known.
    ///
    /// # Errors
    ///
    /// If that can't be seen.
    fn holder(&self, key: &Key) -> Result<Option<Holder>, Error>;

    /// What texts call the lock.
    fn lock_name(&self, key: &Key) -> String {
        let locks = self.wait(key, Mode::Exclusive, Site::here()).taken();
        let space = locks.first().map_or("", |lock| lock.space);
        LockName { space, key }.to_string()
    }
}

/// Of lock files, and of other engines that can look.
impl<K: LockKey, S: Inspect + ?Sized> Handle<'_, K, S> {
    /// Tells whether somebody holds the lock, in whatever process. It asks the system or the server,
    /// and blocks the thread until that has answered.
    ///
    /// For tests and assertions: by the time it returns, the answer may be old. No lock file is
    /// made for it.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle`](crate::FileHandle); of a server that can't be asked
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable).
    pub fn is_locked(&self) -> Result<bool, Error> {
        self.space.is_locked(&Key::of(&self.key))
    }

    /// Tells who holds the lock, in whatever process, without being in anybody's way. It asks the
    /// system or the server, and blocks the thread until that has answered.
    ///
    /// Of shared holders it is one. `None` if nobody holds it, or if it isn't known who does:
    /// where somebody doesn't write it down, as Python's programs don't, some systems can't tell.
    ///
    /// # Errors
    ///
    /// As [`Handle::is_locked`].
    pub fn holder(&self) -> Result<Option<Holder>, Error> {
        self.space.holder(&Key::of(&self.key))
    }

    /// Panics unless somebody holds the lock; behind [`assert_locked!`](crate::assert_locked).
    #[doc(hidden)]
    #[track_caller]
    pub fn assert_locked(&self) {
        let key = Key::of(&self.key);
        match self.space.is_locked(&key) {
            Ok(true) => {}
            Ok(false) => {
                let lock = self.space.lock_name(&key);
                panic!("lock {lock} is not held; its holder must call this")
            }
            Err(error) => panic!("{error}"),
        }
    }
}

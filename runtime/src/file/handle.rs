//! The names of what takes lock files, and what can be done with them beyond any other lock.

use super::FileLocks;
use super::engine::Files;
use super::state::Named;
use crate::error::Error;
use crate::future::LockFuture;
use crate::handle::{Handle, KeysHandle, ReentrantHandle};
use crate::holder::Holder;
use crate::key::{Key, LockKey};
use crate::outside::Outside;

/// One lock of a space of lock files: a key, not yet held.
///
/// Made by [`FileLocks::key`]. All methods can fail with
/// [`ErrorKind::Io`](crate::ErrorKind::Io), which says what is wrong with the file and what
/// helps, and with [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) for a key that has
/// no file.
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// # let directory = std::env::temp_dir().join(format!("lockutils-doc-handle-{}", std::process::id()));
/// let locks = FileLocks::new(&directory);
/// let handle = locks.key("schema");
/// let guard = handle.lock()?;
/// assert!(handle.is_locked()?);
/// assert_eq!(handle.holder()?.and_then(|holder| holder.pid()), Some(std::process::id()));
/// # drop(guard);
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), lockutils::Error>(())
/// ```
pub type FileHandle<'a, K> = Handle<'a, K, FileLocks>;

/// One lock of a space of lock files, for a thread that may hold it already.
///
/// Made by [`Handle::reentrant`].
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// # let directory = std::env::temp_dir().join(format!("lockutils-doc-reentrant-{}", std::process::id()));
/// let locks = FileLocks::new(&directory);
/// let outer = locks.key("schema").reentrant().lock()?;
/// let inner = locks.key("schema").reentrant().lock()?;
/// # drop((outer, inner));
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), lockutils::Error>(())
/// ```
pub type ReentrantFileHandle<'a, K> = ReentrantHandle<'a, K, FileLocks>;

/// Several locks of a space of lock files, to be taken together.
///
/// Made by [`FileLocks::keys`]. The errors are those of [`FileHandle`].
///
/// # Examples
///
/// ```
/// use lockutils::FileLocks;
///
/// # let directory = std::env::temp_dir().join(format!("lockutils-doc-keys-{}", std::process::id()));
/// let locks = FileLocks::new(&directory);
/// let guard = locks.keys(["vm-7", "image-3"]).lock()?;
/// assert!(locks.key("image-3").is_locked()?);
/// # drop(guard);
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), lockutils::Error>(())
/// ```
pub type FileKeysHandle<'a> = KeysHandle<'a, FileLocks>;

/// The wait of a task for a lock file, or for several; gives a
/// `Result<`[`AsyncGuard`](crate::AsyncGuard)`, `[`Error`]`>`.
///
/// # Examples
///
/// ```
/// use lockutils::{Error, FileLocks};
///
/// async fn migrate(locks: &FileLocks) -> Result<(), Error> {
///     let _guard = locks.key("schema").lock_async().await?;
///     // No other task, thread or process is in here.
///     Ok(())
/// }
/// ```
pub type FileLockFuture = LockFuture<Outside<Files>>;

impl<K: LockKey> Handle<'_, K, FileLocks> {
    /// Tells whether somebody holds the lock, in whatever process.
    ///
    /// For tests and assertions: by the time it returns, the answer may be old. No file is
    /// made for it.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle`].
    #[track_caller]
    pub fn is_locked(&self) -> Result<bool, Error> {
        self.named()?.is_locked()
    }

    /// Tells who holds the lock, in whatever process, without being in anybody's way.
    ///
    /// Of shared holders it is one. `None` if nobody holds it, or if it isn't known who does:
    /// where somebody doesn't write it down, as Python's programs don't, some systems can't tell.
    ///
    /// # Errors
    ///
    /// Those of [`FileHandle`].
    #[track_caller]
    pub fn holder(&self) -> Result<Option<Holder>, Error> {
        self.named()?.holder()
    }

    /// Panics unless somebody holds the lock; behind [`assert_locked!`](crate::assert_locked).
    #[doc(hidden)]
    #[track_caller]
    pub fn assert_locked(&self) {
        let named = self.named();
        match named.and_then(|named| Ok((named.is_locked()?, named.path()))) {
            Ok((true, _)) => {}
            Ok((false, path)) => {
                let lock = path.to_string_lossy();
                panic!("lock {lock:?} is not held; its holder must call this")
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn named(&self) -> Result<Named, Error> {
        self.space.named(Key::of(&self.key))
    }
}

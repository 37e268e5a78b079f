//! Guards: proof of holding. Dropping one releases.

use crate::held::Held;
use crate::name::{Taken, describe};
use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A hold of a thread; dropping it releases the lock.
///
/// Not [`Send`], since a thread is the holder. [`Guard::into_async`] makes it a
/// guard that can be released elsewhere.
///
/// Forgetting a guard ([`std::mem::forget`]) keeps the lock for as long as the
/// process runs.
///
/// ```compile_fail,E0277
/// let guard = lockutils::lock("name");
/// std::thread::spawn(move || drop(guard));
/// ```
#[must_use = "dropping a guard at once releases its lock; write `let _guard = ..`, not `let _ = ..`"]
pub struct Guard {
    held: Held,
    _thread: ThreadMark<HeldByThread>,
}

// SAFETY: what is done through a shared reference is done with the hold alone, which is
// `Sync`; the mark has no value, and is not `Sync` for the sake of the compiler's messages.
#[expect(unsafe_code, reason = "the mark takes more than it is meant to")]
unsafe impl Sync for Guard where Held: Sync {}

/// Keeps what it is a field of from being `Send`, and has the compiler say why.
///
/// It isn't `Sync` either, since the compiler would advise to send a reference.
#[derive(Debug)]
pub struct ThreadMark<T>(PhantomData<Cell<T>>);

/// What a hold of a thread is marked with.
#[derive(Debug)]
pub struct HeldByThread;

/// What nothing does.
#[diagnostic::on_unimplemented(
    message = "a `Guard` is held by its thread, and can't be sent to another one",
    label = "this may be run by another thread",
    note = "in async code take the lock with `lock_async().await`, whose guard may be sent and be held over an `.await`; `Guard::into_async` makes one of a `Guard`"
)]
pub trait MayChangeThread {}

// SAFETY: there is no type that it holds for.
#[expect(unsafe_code, reason = "a bound for the compiler to name")]
unsafe impl<T: MayChangeThread> Send for ThreadMark<T> {}

impl Guard {
    #[inline]
    pub(crate) const fn new(held: Held) -> Self {
        Self {
            held,
            _thread: ThreadMark(PhantomData),
        }
    }

    /// A guard of what was taken on the fast path. Made where it is to stay, word by word,
    /// and not copied there.
    #[inline]
    pub(crate) const fn thin(hash: u64) -> Self {
        Self::new(Held::thin(hash))
    }

    /// The locks, for people.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.held.taken()
    }

    /// Gives the lock files that it holds, for a process that is started to inherit: for as
    /// long as somebody has one of them open, the lock is held, also if this process is killed.
    ///
    /// Dropping the guard releases the lock nevertheless, for all of them. The descriptors are
    /// duplicates, and are closed in a new process unless that is changed. A lock in process
    /// has none.
    ///
    /// # Errors
    ///
    /// If the process has no descriptor left.
    ///
    /// # Examples
    ///
    /// ```
    /// # let directory = std::env::temp_dir().join(format!("lockutils-doc-files-{}", std::process::id()));
    /// let locks = lockutils::FileLocks::new(&directory);
    /// let guard = locks.key("backup").lock()?;
    /// assert_eq!(guard.files()?.len(), 1);
    /// # std::fs::remove_dir_all(directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn files(&self) -> io::Result<Vec<File>> {
        self.held.files()
    }

    /// Turns the guard into one that may be sent to other threads and tasks.
    ///
    /// The lock is held without a break.
    ///
    /// # Examples
    ///
    /// ```
    /// let guard = lockutils::lock("into_async").into_async();
    /// std::thread::spawn(move || drop(guard)).join().unwrap();
    /// assert!(!lockutils::is_locked("into_async"));
    /// ```
    pub fn into_async(self) -> AsyncGuard {
        self.held.disown();
        AsyncGuard::new(self.held)
    }
}

/// A hold of a task; dropping it releases the lock.
///
/// [`Send`], since a task may move between threads while it holds the lock.
///
/// # Examples
///
/// ```
/// use lockutils::{AsyncGuard, Locks};
///
/// static HOSTS: Locks = Locks::new("hosts");
///
/// /// Gives the lock along with the connection that it is for.
/// async fn connect(host: &str) -> (AsyncGuard, String) {
///     let guard = HOSTS.key(host).lock_async().await;
///     (guard, format!("connected to {host}"))
/// }
/// ```
#[must_use = "dropping a guard at once releases its lock; write `let _guard = ..`, not `let _ = ..`"]
pub struct AsyncGuard {
    held: Held,
}

impl AsyncGuard {
    #[inline]
    pub(crate) const fn new(held: Held) -> Self {
        Self { held }
    }

    /// As [`Guard::thin`].
    #[inline]
    pub(crate) const fn thin(hash: u64) -> Self {
        Self::new(Held::thin(hash))
    }

    /// The locks, for people.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.held.taken()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "Guard", &self.taken())
    }
}

impl fmt::Debug for AsyncGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "AsyncGuard", &self.taken())
    }
}

// All that can be done with a guard is to drop it, which a panic does as well; what a panic
// leaves half-done is what the lock guards, as with any lock that isn't poisoned.
impl UnwindSafe for Guard {}
impl RefUnwindSafe for Guard {}
impl UnwindSafe for AsyncGuard {}
impl RefUnwindSafe for AsyncGuard {}

//! Elsewhere: the standard library's lock of a file.

use super::Locker;
use crate::local::Mode;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

/// Which file it is.
#[cfg(unix)]
pub(in crate::file) type Identity = (u64, u64);

/// Which file it is. There is no way to tell, but a file that is open can't be removed or
/// replaced.
#[cfg(not(unix))]
pub(in crate::file) type Identity = ();

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options
            .mode(0o666)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    // Without sharing deletion, so that a file that is open stays where it is.
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        const READ_AND_WRITE: u32 = 3;
        options.share_mode(READ_AND_WRITE);
    }
    options
}

/// Opens a lock file.
pub(in crate::file) fn open(path: &Path) -> io::Result<File> {
    options().write(true).open(path)
}

/// Makes a lock file where there is none.
pub(in crate::file) fn make(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Opens a lock file to look at it.
pub(in crate::file) fn open_to_read(path: &Path) -> io::Result<File> {
    options().open(path)
}

/// A moment in a file system's clock.
pub(in crate::file) type Moment = (i64, i64);

/// Whether the open file still has a name, and when it was last written to.
pub(in crate::file) fn glance(file: &File) -> io::Result<(bool, Moment)> {
    let metadata = file.metadata()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        Ok((
            metadata.nlink() > 0,
            (metadata.mtime(), metadata.mtime_nsec()),
        ))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        Ok((true, (0, 0)))
    }
}

/// When file systems believe it is. Here it is whatever they say.
pub(in crate::file) fn tick() -> Moment {
    (0, 0)
}

/// A clock that never goes back, in ticks of milliseconds.
pub(in crate::file) fn steady_tick() -> Moment {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let elapsed = START.elapsed();
    (
        elapsed.as_secs().cast_signed(),
        elapsed.subsec_millis().into(),
    )
}

/// Which file is open.
#[cfg(unix)]
pub(in crate::file) fn identity(file: &File) -> io::Result<Identity> {
    Ok(of(&file.metadata()?))
}

#[cfg(not(unix))]
pub(in crate::file) fn identity(_file: &File) -> io::Result<Identity> {
    Ok(())
}

#[cfg(unix)]
fn of(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

/// Which file is at the path, itself and not what it links to, and what is known of it; `None`
/// where there is none.
pub(in crate::file) fn identity_at(path: &Path) -> io::Result<Option<(Identity, fs::Metadata)>> {
    match fs::symlink_metadata(path) {
        #[cfg(unix)]
        Ok(metadata) => Ok(Some((of(&metadata), metadata))),
        #[cfg(not(unix))]
        Ok(metadata) => Ok(Some(((), metadata))),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            _ => Err(error),
        },
    }
}

/// Takes the lock if nobody is in the way.
pub(in crate::file) fn try_lock(file: &File, mode: Mode) -> io::Result<bool> {
    let tried = match mode {
        Mode::Exclusive => file.try_lock(),
        Mode::Shared => file.try_lock_shared(),
    };
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Blocks the thread until it has the lock.
pub(in crate::file) fn lock(file: &File, mode: Mode) -> io::Result<()> {
    loop {
        let locked = match mode {
            Mode::Exclusive => file.lock(),
            Mode::Shared => file.lock_shared(),
        };
        match locked {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Releases the lock, also for a child that has inherited the descriptor by a fork.
pub(in crate::file) fn unlock(file: &File) -> io::Result<()> {
    file.unlock()
}

/// Who is in the way of an exclusive lock; `None` if nobody is.
pub(in crate::file) fn locker(file: &File) -> io::Result<Option<Locker>> {
    // There is no way to ask but to try.
    if try_lock(file, Mode::Exclusive)? {
        unlock(file)?;
        return Ok(None);
    }
    Ok(Some(Locker::Unnamed))
}

/// Writes over the beginning of the file.
pub(in crate::file) fn write(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(bytes)
}

/// Reads the beginning of the file, as far as there is one.
pub(in crate::file) fn read(mut file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    file.rewind()?;
    file.read(bytes)
}

/// The files that processes wait for in the kernel, which it doesn't tell here.
pub(in crate::file) const fn waits() -> Vec<Identity> {
    Vec::new()
}

/// Whether what is missing is a descriptor.
pub(in crate::file) fn is_for_descriptors(error: &io::Error) -> bool {
    #[cfg(unix)]
    return matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
    #[cfg(not(unix))]
    return error.raw_os_error() == Some(4);
}

/// Whether the path is too long: `ENAMETOOLONG`, or Windows' `ERROR_FILENAME_EXCED_RANGE`.
pub(in crate::file) fn is_for_length(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(libc::ENAMETOOLONG);
    #[cfg(not(unix))]
    return error.raw_os_error() == Some(206);
}

/// Whether the path is that of a symbolic link.
pub(in crate::file) fn is_symbolic_link(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(libc::ELOOP);
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::FilesystemLoop;
}

/// Whether the file system has no lock to give.
pub(in crate::file) fn is_for_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

//! Files on any Unix.

#![expect(
    unsafe_code,
    reason = "the standard library tells neither the user nor a limit, knows no present time, and takes \
              longer to look at a file"
)]

#[cfg(target_os = "linux")]
use super::changes;
#[cfg(not(target_os = "linux"))]
use super::unchanging as changes;
use super::{Files, Glance, Os, Refusal, Tick};
#[cfg(not(target_os = "linux"))]
use libc::{fstat, stat};
// Where numbers have 32 bits, the other one knows no file of a longer inode.
#[cfg(target_os = "linux")]
use libc::{fstat64 as fstat, stat64 as stat};
use std::fs::{self, DirBuilder, File, FileTimes, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::SystemTime;

/// Device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::file) struct Identity {
    device: u64,
    inode: u64,
}

/// How often the user's own directory may be removed while one looks at it.
const ATTEMPTS: usize = 100;

/// Who else may write: the group and others.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// In such a directory nobody can remove or rename what belongs to others, and such a file is
/// not removed for its age.
const STICKY: u32 = 0o1000;

fn check(directory: &Path, user: u32) -> Result<(), Refusal> {
    let parent = directory.parent().map(fs::metadata);
    let Some(Ok(parent)) = parent else {
        return Err((
            ErrorKind::NotFound,
            "the directory it is to be in is missing",
        ));
    };
    let may_be_replaced = parent.mode() & OTHERS_MAY_WRITE != 0 && parent.mode() & STICKY == 0;
    if may_be_replaced || ![0, user].contains(&parent.uid()) {
        let reason = "somebody else could put another directory in its place";
        return Err((ErrorKind::PermissionDenied, reason));
    }
    let mut attempts = 0;
    let found = loop {
        attempts += 1;
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err((error.kind(), "it can't be made"));
            }
            _ => {}
        }
        match fs::symlink_metadata(directory) {
            // Somebody has removed it since.
            Err(error) if error.kind() == ErrorKind::NotFound && attempts < ATTEMPTS => {}
            found => break found.map_err(|error| (error.kind(), "it can't be looked at"))?,
        }
    };
    is_own(&found, user)
}

/// Who this process runs as.
fn user() -> u32 {
    // SAFETY: the call takes nothing and can't fail.
    unsafe { libc::geteuid() }
}

fn is_own(found: &Metadata, user: u32) -> Result<(), Refusal> {
    if found.is_symlink() {
        return Err((ErrorKind::PermissionDenied, "it is a symbolic link"));
    }
    if !found.is_dir() {
        return Err((ErrorKind::NotADirectory, "it is no directory"));
    }
    if found.uid() != user {
        return Err((ErrorKind::PermissionDenied, "it belongs to somebody else"));
    }
    if found.mode() & OTHERS_MAY_WRITE != 0 {
        return Err((
            ErrorKind::PermissionDenied,
            "others than its owner may write to it",
        ));
    }
    Ok(())
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // Not blocking, or a FIFO in its place could keep us waiting.
    options
        .read(true)
        .mode(0o666)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    options
}

impl Files for Os {
    type Identity = Identity;

    const TELLS_APART: bool = true;

    const REMOVES_OPEN: bool = true;

    fn open(path: &Path) -> io::Result<File> {
        options().write(true).open(path)
    }

    fn make(path: &Path) -> io::Result<File> {
        options().write(true).create_new(true).open(path)
    }

    fn open_to_read(path: &Path) -> io::Result<File> {
        options().open(path)
    }

    fn identity(file: &File) -> io::Result<Identity> {
        file.metadata().map(|metadata| Identity::from(&metadata))
    }

    fn words(Identity { device, inode }: Identity) -> [u64; 2] {
        [device, inode]
    }

    fn glance(file: &File) -> io::Result<Glance> {
        // Not `File::metadata`, which also asks for what only `statx` knows, and takes longer.
        let mut found = MaybeUninit::<stat>::uninit();
        // SAFETY: the descriptor is open, and there is room for what is written.
        if unsafe { fstat(file.as_raw_fd(), found.as_mut_ptr()) } == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has succeeded, so it has written all of it.
        let found = unsafe { found.assume_init() };
        Ok(Glance {
            has_name: found.st_nlink > 0,
            changed: changes::last(&found),
        })
    }

    fn tells_changes(file: &File) -> bool {
        changes::are_told(file)
    }

    fn present() -> Tick {
        changes::present()
    }

    fn identity_at(path: &Path) -> io::Result<Option<(Identity, Metadata)>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some((Identity::from(&metadata), metadata))),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// It has several names, and others than the user and root can make names in the directory.
    ///
    /// They can in a sticky directory too. Many systems let nobody give a name to what he can't
    /// write to, but that is a setting (`fs.protected_hardlinks`).
    fn may_be_planted(found: &Metadata, path: &Path) -> bool {
        let others_can_write = |directory: Metadata| {
            directory.mode() & OTHERS_MAY_WRITE != 0 || ![0, user()].contains(&directory.uid())
        };
        // Of a directory that can't be looked at, nobody knows.
        let directory = || fs::metadata(path.parent()?).ok();
        found.nlink() > 1 && directory().is_none_or(others_can_write)
    }

    fn read(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
        file.read_at(bytes, 0)
    }

    fn write(file: &File, offset: usize, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset as u64)
    }

    /// Whether the limit of a file's size (`ulimit -f`) lets that be. A write beyond it raises
    /// `SIGXFSZ`, which kills the process. Who lowers the limit between this look and the write has
    /// it coming.
    fn may_write(length: usize) -> bool {
        let mut limit = MaybeUninit::<libc::rlimit>::uninit();
        // SAFETY: there is room for what is written.
        if unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, limit.as_mut_ptr()) } == -1 {
            return true;
        }
        // SAFETY: the call has succeeded, so it has written all of it.
        let most = unsafe { limit.assume_init() }.rlim_cur;
        libc::rlim_t::try_from(length).is_ok_and(|length| length <= most)
    }

    fn touch(file: &File) -> io::Result<()> {
        // Only its owner may set a time. Any user that can write to it may set the present one.
        let now = SystemTime::now();
        let times = FileTimes::new().set_accessed(now).set_modified(now);
        file.set_times(times).or_else(|_| {
            // SAFETY: the descriptor is open, and null stands for the present time.
            match unsafe { libc::futimens(file.as_raw_fd(), ptr::null()) } {
                -1 => Err(io::Error::last_os_error()),
                _ => Ok(()),
            }
        })
    }

    /// By the sticky bit, as the XDG Base Directory Specification has it for the files of
    /// `$XDG_RUNTIME_DIR`, and systemd-tmpfiles for those of all directories.
    fn protect(file: &File, found: &Metadata) {
        if found.mode() & STICKY == 0 {
            // Where it can't be set the file is as any other.
            let _ = file.set_permissions(Permissions::from_mode(STICKY | 0o600));
        }
    }

    fn own_directory(runtime: Option<PathBuf>) -> (PathBuf, Result<(), Refusal>) {
        let user = user();
        let system = Path::new("/run");
        let of_sessions = system.join("user");
        let of_session = of_sessions.join(user.to_string());
        // Root's is the same in each of its sessions and in none, as cron's jobs are, and where a
        // service has a `/tmp` of its own.
        let is_for_all = |path: &PathBuf| user != 0 || !path.starts_with(&of_sessions);
        let runtime = runtime.filter(|path| path.is_absolute());
        let directory = match runtime.filter(is_for_all) {
            Some(runtime) => runtime.join("lockutils"),
            None if user == 0 && system.is_dir() => system.join("lockutils"),
            None if of_session.is_dir() => of_session.join("lockutils"),
            // Not the temporary directory, which is another one where `TMPDIR` is set.
            None => PathBuf::from(format!("/tmp/lockutils-{user}")),
        };
        let checked = check(&directory, user);
        (directory, checked)
    }

    fn check_own(directory: &Path) -> Result<(), Refusal> {
        check(directory, user())
    }

    fn is_for_descriptors(error: &io::Error) -> bool {
        matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
    }

    fn is_for_length(error: &io::Error) -> bool {
        error.raw_os_error() == Some(libc::ENAMETOOLONG)
    }

    fn is_symbolic_link(error: &io::Error) -> bool {
        error.raw_os_error() == Some(libc::ELOOP)
    }
}

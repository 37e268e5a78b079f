//! Files where there is no Unix: on Windows, and on what has files at all.

use super::{Files, Glance, Os, Refusal, Tick};
use std::env;
use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    // Without sharing deletion, so that a file that is open stays where it is; and a symbolic
    // link itself, which is no regular file and so refused.
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt as _;
        const READ_AND_WRITE: u32 = 3;
        const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
        options
            .share_mode(READ_AND_WRITE)
            .custom_flags(OPEN_REPARSE_POINT);
    }
    options
}

impl Files for Os {
    /// There is no way to tell, but a file that is open can't be removed or replaced.
    type Identity = ();

    const TELLS_APART: bool = false;

    const REMOVES_OPEN: bool = false;

    fn open(path: &Path) -> io::Result<File> {
        options().write(true).open(path)
    }

    fn make(path: &Path) -> io::Result<File> {
        options().write(true).create_new(true).open(path)
    }

    fn open_to_read(path: &Path) -> io::Result<File> {
        options().open(path)
    }

    fn identity(_file: &File) -> io::Result<()> {
        Ok(())
    }

    fn words((): ()) -> [u64; 2] {
        [0; 2]
    }

    fn glance(_file: &File) -> io::Result<Glance> {
        Ok(Glance {
            has_name: true,
            changed: Tick::default(),
        })
    }

    fn tells_changes(_file: &File) -> bool {
        false
    }

    fn present() -> Tick {
        Tick::default()
    }

    fn identity_at(path: &Path) -> io::Result<Option<((), Metadata)>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(((), metadata))),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(error),
            },
        }
    }

    fn may_be_planted(_found: &Metadata, _path: &Path) -> bool {
        false
    }

    fn read(mut file: &File, bytes: &mut [u8]) -> io::Result<usize> {
        file.rewind()?;
        file.read(bytes)
    }

    fn write(mut file: &File, offset: usize, bytes: &[u8]) -> io::Result<()> {
        file.seek(SeekFrom::Start(offset as u64))?;
        file.write_all(bytes)
    }

    fn may_write(_length: usize) -> bool {
        true
    }

    fn touch(file: &File) -> io::Result<()> {
        let now = SystemTime::now();
        file.set_times(FileTimes::new().set_accessed(now).set_modified(now))
    }

    fn protect(_file: &File, _found: &Metadata) {}

    /// That of the user's temporary files, which is the user's own.
    fn own_directory(_runtime: Option<PathBuf>) -> (PathBuf, Result<(), Refusal>) {
        (env::temp_dir().join("lockutils"), Ok(()))
    }

    fn check_own(_directory: &Path) -> Result<(), Refusal> {
        Ok(())
    }

    fn is_for_descriptors(error: &io::Error) -> bool {
        const TOO_MANY_OPEN_FILES: i32 = 4;
        cfg!(windows) && error.raw_os_error() == Some(TOO_MANY_OPEN_FILES)
    }

    fn is_for_length(error: &io::Error) -> bool {
        const FILENAME_EXCED_RANGE: i32 = 206;
        cfg!(windows) && error.raw_os_error() == Some(FILENAME_EXCED_RANGE)
    }

    fn is_symbolic_link(_error: &io::Error) -> bool {
        false
    }
}

//! Which processes wait for a lock file, as far as that can be seen.
//!
//! A process that uses the crate says so in the file. Of others, and for some milliseconds of those
//! too, the kernel tells how many wait, and not who, since the lock is that of an open file. But who
//! waits is in a system call, whose arguments are in `/proc` for root and, on many systems, for the
//! same user: `fcntl` on a file, with a command that waits.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The commands of `fcntl` that wait for a lock: `F_SETLKW`, and `F_OFD_SETLKW`.
const WAITS: [&str; 2] = ["0x7", "0x26"];

/// The ids of processes by the file they wait for, which is its device and inode.
#[derive(Default)]
pub(crate) struct Waiters(BTreeMap<(u64, u64), Vec<u32>>);

impl Waiters {
    /// Looks at all processes that this one may look at.
    pub(crate) fn find() -> Self {
        let mut waiters = BTreeMap::<_, Vec<u32>>::new();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in processes {
            let Some(pid) = process.file_name().to_str().and_then(|id| id.parse().ok()) else {
                continue;
            };
            for file in files(&process.path()) {
                waiters.entry(file).or_default().push(pid);
            }
        }
        Self(waiters)
    }

    /// Those whose threads wait for a file, once for each.
    pub(crate) fn of(&self, path: &Path) -> Vec<u32> {
        let file = fs::metadata(path).map(|found| (found.dev(), found.ino()));
        let waiters = file.ok().and_then(|file| self.0.get(&file));
        waiters.cloned().unwrap_or_default()
    }
}

/// What the threads of a process wait for.
fn files(process: &Path) -> Vec<(u64, u64)> {
    let threads = fs::read_dir(process.join("task")).into_iter().flatten();
    let file = |call: String| {
        let mut words = call.split_whitespace().skip(1);
        let (descriptor, command) = (words.next()?, words.next()?);
        if !WAITS.contains(&command) {
            return None;
        }
        let descriptor = u32::from_str_radix(descriptor.strip_prefix("0x")?, 16).ok()?;
        let found = fs::metadata(process.join(format!("fd/{descriptor}"))).ok()?;
        Some((found.dev(), found.ino()))
    };
    let calls = threads
        .flatten()
        .map(|thread| thread.path().join("syscall"));
    let calls = calls.filter_map(|call| fs::read_to_string(call).ok());
    calls.filter_map(file).collect()
}

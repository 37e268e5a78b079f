//! Keeping lock files that are held for long from being removed for their age.
//!
//! Programs such as systemd-tmpfiles, tmpreaper or a `find -mtime` of cron's remove files of
//! temporary directories that nobody has read or written for days, and don't ask whether
//! they are locked; then a second holder would get in. So a thread touches every
//! [`INTERVAL`] the files that the process holds. The first hold starts it, and it ends when it
//! finds none in use; where the holds are short it stays idle, and touches no file.
//!
//! Where no thread can be had there is none, and the next hold tries again.

use super::table;
use crate::process::OfProcess;
use crate::worker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How often the files are touched. The XDG Base Directory Specification asks for every six hours.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The stack of a thread that only sleeps and touches files.
const STACK: usize = 64 * 1024;

/// Whether the thread runs.
static RUNS: OfProcess<AtomicBool> = OfProcess::new();

/// Sees to it that the thread runs. The caller uses a lock file, and has just got the kernel's
/// lock on it.
pub(super) fn start() {
    // Relaxed: a caller whose file the thread's last look didn't see, which was under the table's
    // mutex, has locked that mutex later, and so sees here that the thread has ended.
    let runs = RUNS.get();
    if !runs.load(Ordering::Relaxed) {
        start_thread(runs);
    }
}

#[cold]
fn start_thread(runs: &'static AtomicBool) {
    if runs.swap(true, Ordering::Relaxed) {
        return;
    }
    let run = || run(INTERVAL, runs);
    let thread = worker::start("lockutils-keep", Some(STACK), Box::new(run));
    if thread.is_err() {
        runs.store(false, Ordering::Relaxed);
    }
}

fn run(interval: Duration, runs: &AtomicBool) {
    loop {
        thread::sleep(interval);
        let in_use = table::in_use();
        for file in &in_use {
            file.refresh();
        }
        if !in_use.is_empty() {
            continue;
        }
        runs.store(false, Ordering::Relaxed);
        // A caller that came since, and saw that the thread runs, counts on it.
        if table::in_use().is_empty() || runs.swap(true, Ordering::Relaxed) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileLocks;
    use std::fs::{self, File, FileTimes};
    use std::path::{Path, PathBuf};
    use std::time::{Instant, SystemTime};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// A directory that is removed with all that is in it.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let name = format!("lockutils-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    /// Sets the file's times as if it had not been used for days.
    fn age(path: &Path) {
        let old = SystemTime::now() - 30 * DAY;
        let times = FileTimes::new().set_accessed(old).set_modified(old);
        File::open(path).unwrap().set_times(times).unwrap();
    }

    fn is_old(path: &Path) -> bool {
        let found = fs::metadata(path).unwrap();
        let times = [found.accessed().unwrap(), found.modified().unwrap()];
        let is_old = |time: SystemTime| time.elapsed().is_ok_and(|age| age > 10 * DAY);
        times.into_iter().any(is_old)
    }

    fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(60), "{what}");
            thread::yield_now();
        }
    }

    #[test]
    fn held_files_are_touched_and_others_are_not() {
        let directory = Directory::new("refresh");
        let locks = FileLocks::new(&directory.0);
        let paths = ["held", "shared", "free"].map(|key| directory.0.join(key));
        let _held = locks.key("held").lock().unwrap();
        let _shared = locks.key("shared").shared().lock().unwrap();
        drop(locks.key("free").lock().unwrap());
        for path in &paths {
            age(path);
        }
        thread::spawn(|| run(Duration::from_millis(1), RUNS.get()));
        eventually("held files are touched", || {
            paths[..2].iter().all(|path| !is_old(path))
        });
        assert!(is_old(&paths[2]));
        // Again, as long as they are held.
        age(&paths[0]);
        eventually("held files are touched again", || !is_old(&paths[0]));
    }

    #[test]
    fn hold_starts_the_thread() {
        let directory = Directory::new("refresh-start");
        let locks = FileLocks::new(&directory.0);
        let _held = locks.key("held").lock().unwrap();
        // One that ends this moment notices, and goes on.
        eventually("it runs", || RUNS.get().load(Ordering::Relaxed));
    }
}

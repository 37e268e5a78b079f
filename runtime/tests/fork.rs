//! The child of a fork that starts no program: it has a copy of all memory, and one thread.

#![cfg(all(target_os = "linux", not(loom)))]
#![expect(unsafe_code, reason = "the standard library has no fork")]

use lockutils::{AsyncGuard, ErrorKind, FileLocks, Locks};
use std::fs;
use std::io::{Read as _, Write as _};
use std::mem;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a test waits for anything.
const LIMIT: Duration = Duration::from_secs(60);

/// One test at a time: the child of one could have a mutex that is locked by the thread of
/// another, which it has not.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that does something, and ends.
struct Child(libc::pid_t);

impl Child {
    /// The child of a fork, which is to end with true.
    fn new(body: impl FnOnce() -> bool) -> Self {
        // SAFETY: the child does what Rust has it do in one thread. What other threads could have
        // locked here is the allocator, which the C library looks after.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let done = catch_unwind(AssertUnwindSafe(body)).unwrap_or(false);
            // SAFETY: the process ends here, without what the test would do at its end.
            unsafe { libc::_exit(i32::from(!done)) }
        }
        assert!(pid > 0, "there is a child");
        Self(pid)
    }

    fn ends_well(self) -> bool {
        let mut status = 0;
        // SAFETY: there is room for the status.
        let mut is_running =
            || unsafe { libc::waitpid(self.0, &raw mut status, libc::WNOHANG) } == 0;
        eventually("the child ends", || !is_running());
        status == 0
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // One that has ended is no longer there.
        // SAFETY: the calls touch no memory.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, std::ptr::null_mut(), 0);
        }
    }
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "{what}");
        thread::yield_now();
    }
}

/// The child has a copy of the server, and not its thread.
#[cfg(feature = "inspect")]
#[test]
fn child_leaves_the_socket_of_its_parent_and_has_one_of_its_own() {
    use lockutils::inspect::Builder;
    use std::io::BufRead as _;

    let _alone = alone();
    let directory = std::env::temp_dir().join(format!("lockutils-fork-{}", std::process::id()));
    let [path, own] = ["parent", "child"].map(|name| directory.join(name));
    let pid = |path: &std::path::Path| {
        let mut line = String::new();
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        std::io::BufReader::new(stream)
            .read_line(&mut line)
            .unwrap();
        line
    };
    let mut server = Some(Builder::new().path(&path).serve().unwrap());
    let child = Child::new(|| {
        drop(server.take());
        let own = Builder::new().path(&own).serve().unwrap();
        let is_own = pid(own.path()).contains(&format!("\"pid\":{},", std::process::id()));
        is_own && path.exists()
    });
    assert!(child.ends_well() && server.is_some());
    assert!(pid(&path).contains(&format!("\"pid\":{},", std::process::id())));
    drop(server);
    fs::remove_dir_all(directory).unwrap();
}

/// Two ends, one for each process.
fn ends() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

fn tell(mut end: &UnixStream) {
    end.write_all(&[0]).unwrap();
}

fn hear(mut end: &UnixStream) {
    end.set_read_timeout(Some(LIMIT)).unwrap();
    end.read_exact(&mut [0]).unwrap();
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A waker like no other, and so a task.
fn task() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
}

fn block_on<F: Future>(future: F) -> F::Output {
    let (task, mut future) = (task(), pin!(future));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&task)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn poll<F: Future + Unpin>(future: &mut F, task: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(task))
}

/// Whether the process has a thread of that name that is in a certain system call, if one is
/// given.
fn has_thread(name: &str, call: Option<&str>) -> bool {
    let read = |task: &fs::DirEntry, file| fs::read_to_string(task.path().join(file));
    let mut tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.any(|task| {
        let is_it = read(&task, "comm").is_ok_and(|comm| comm.trim_end() == name);
        let now = || read(&task, "syscall").unwrap_or_default();
        is_it && call.is_none_or(|call| now().split(' ').next() == Some(call))
    })
}

/// A directory that is removed with all that is in it, by the process that has made it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("lockutils-fork-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn task_of_the_child_is_woken_when_its_time_is_over() {
    let _alone = alone();
    let locks = Locks::new("fork and time");
    let _guard = locks.key("key").lock().into_async();
    let times_out = || {
        let wait = locks
            .key("key")
            .lock_timeout_async(Duration::from_millis(5));
        block_on(wait).is_err()
    };
    assert!(times_out());
    assert!(Child::new(times_out).ends_well());
}

#[test]
fn child_keeps_its_own_files_from_being_removed_for_their_age() {
    let _alone = alone();
    let directory = Directory::new("age");
    let locks = FileLocks::new(&directory.0);
    let keeps = || has_thread("lockutils-keep", None);
    let _guard = locks.key("of the parent").lock().unwrap();
    eventually("the parent has the thread", keeps);
    let child = Child::new(|| {
        let _guard = locks.key("of the child").lock().unwrap();
        eventually("the child has one too", keeps);
        true
    });
    assert!(child.ends_well());
}

/// Two tasks, each of which waits for the other's lock.
fn cycle(locks: &Locks) -> impl Sized + use<> {
    let tasks = [task(), task()];
    let lock = |key, task| match poll(&mut locks.key(key).lock_async(), task) {
        Poll::Ready(guard) => guard,
        Poll::Pending => panic!("it is free"),
    };
    let guards: [AsyncGuard; 2] = [lock("a", &tasks[0]), lock("b", &tasks[1])];
    let mut waits = [locks.key("b").lock_async(), locks.key("a").lock_async()];
    for (wait, task) in waits.iter_mut().zip(&tasks) {
        assert!(poll(wait, task).is_pending());
    }
    (guards, waits)
}

#[test]
fn child_is_told_of_what_may_be_a_deadlock() {
    const SLEEP: &str = if cfg!(target_arch = "x86_64") {
        "230"
    } else {
        "115"
    };
    static TOLD: AtomicBool = AtomicBool::new(false);
    let _alone = alone();
    lockutils::set_deadlock_hook(|deadlock| {
        let is_ours = deadlock.to_string().contains("fork and child");
        TOLD.fetch_or(is_ours, Ordering::SeqCst);
    });
    let _cycle = cycle(&Locks::new("fork and parent"));
    eventually("the parent's is watched", || {
        has_thread("lockutils-watch", Some(SLEEP))
    });
    let child = Child::new(|| {
        let _cycle = cycle(&Locks::new("fork and child"));
        eventually("it is told", || TOLD.load(Ordering::SeqCst));
        true
    });
    assert!(child.ends_well());
}

/// And not by one of its parent's that was left behind.
#[test]
fn child_waits_for_a_lock_file_by_a_thread_of_its_own() {
    let _alone = alone();
    let directory = Directory::new("wait");
    let locks = FileLocks::new(&directory.0);
    let wait = || locks.key("key").lock_timeout_async(LIMIT / 2);
    let (end, holders_end) = ends();
    let holder = Child::new(|| {
        let _guard = locks.key("key").lock().unwrap();
        tell(&holders_end);
        hear(&holders_end);
        true
    });
    hear(&end);
    assert!(poll(&mut wait(), Waker::noop()).is_pending());
    eventually("its thread is left", || has_thread("lockutils-wait", None));
    let (begun, childs_end) = ends();
    let child = Child::new(|| {
        let mut wait = wait();
        assert!(poll(&mut wait, Waker::noop()).is_pending());
        tell(&childs_end);
        block_on(wait).is_ok()
    });
    hear(&begun);
    tell(&end);
    assert!(holder.ends_well());
    assert!(child.ends_well());
}

/// A file that is kept open is one open file, with one lock, for both of them.
#[test]
fn parent_and_child_exclude_each_other_by_files_that_were_open() {
    let _alone = alone();
    let directory = Directory::new("open");
    let locks = FileLocks::new(&directory.0);
    let is_busy = |key| {
        let tried = locks.key(key).try_lock();
        tried.is_err_and(|error| error.kind() == ErrorKind::Busy)
    };
    let holder = |key| {
        locks
            .key(key)
            .holder()
            .unwrap()
            .and_then(|holder| holder.pid())
    };
    for key in ["first", "second", "third"] {
        drop(locks.key(key).lock().unwrap());
    }
    let (end, childs_end) = ends();
    let child = Child::new(|| {
        let _first = locks.key("first").lock().unwrap();
        tell(&childs_end);
        hear(&childs_end);
        let is_excluded = is_busy("second");
        // What it closes is the parent's no less.
        FileLocks::keep_open(0);
        is_excluded && is_busy("third")
    });
    hear(&end);
    assert!(is_busy("first"));
    assert_eq!(holder("first"), u32::try_from(child.0).ok());
    let _guards = ["second", "third"].map(|key| locks.key(key).lock().unwrap());
    tell(&end);
    assert!(child.ends_well());
}

/// What was left to a task of the parent stays the parent's: it is not for the child's copy of the task, nor
/// for the child to release.
#[test]
fn child_has_no_part_in_what_its_parent_keeps_for_the_next_in_line() {
    let _alone = alone();
    let directory = Directory::new("kept");
    let locks = FileLocks::new(&directory.0);
    for goes_on in [true, false] {
        let guard = locks.key("key").lock().unwrap();
        let mut wait = Some(locks.key("key").lock_timeout_async(LIMIT / 2));
        let waits = |wait: &mut Option<_>| poll(wait.as_mut().unwrap(), Waker::noop()).is_pending();
        assert!(waits(&mut wait));
        drop(guard);
        let (end, childs_end) = ends();
        let child = Child::new(|| {
            let is_excluded = !goes_on || waits(&mut wait);
            wait = None;
            tell(&childs_end);
            hear(&childs_end);
            let tried = locks.key("key").try_lock();
            is_excluded && tried.is_err_and(|error| error.kind() == ErrorKind::Busy)
        });
        hear(&end);
        let _guard = block_on(wait.take().unwrap()).unwrap();
        tell(&end);
        assert!(child.ends_well(), "goes on: {goes_on}");
    }
}

/// Also where it is a task of the child that waits for it.
#[test]
fn child_ends_a_hold_of_its_parent_for_both() {
    let _alone = alone();
    let directory = Directory::new("both");
    let locks = FileLocks::new(&directory.0);
    let mut guard = Some(locks.key("key").lock().unwrap());
    let mut wait = locks.key("key").lock_timeout_async(LIMIT / 2);
    assert!(poll(&mut wait, Waker::noop()).is_pending());
    let child = Child::new(|| {
        guard = None;
        matches!(poll(&mut wait, Waker::noop()), Poll::Ready(Ok(_)))
    });
    assert!(child.ends_well());
}

/// As a program does that goes on in the background.
#[test]
fn child_goes_on_with_a_lock_file_of_its_parent() {
    let _alone = alone();
    let directory = Directory::new("daemon");
    let locks = FileLocks::new(&directory.0);
    let (end, childs_end) = ends();
    let parent = Child::new(|| {
        let mut guard = Some(locks.key("key").lock().unwrap());
        let child = Child::new(|| {
            hear(&childs_end);
            drop(locks.key("key").reentrant().lock().unwrap());
            tell(&childs_end);
            hear(&childs_end);
            guard = None;
            tell(&childs_end);
            hear(&childs_end);
            true
        });
        // It ends without another word.
        mem::forget((guard, child));
        true
    });
    assert!(parent.ends_well());
    let is_free = || locks.key("key").try_lock().is_ok();
    assert!(!is_free());
    tell(&end);
    hear(&end);
    assert!(!is_free());
    tell(&end);
    hear(&end);
    assert!(is_free());
    tell(&end);
}

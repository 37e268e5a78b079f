//! One file by two names: it is one lock, with one queue.

use super::{HOLDER, holder};
use lockutils::{Error, ErrorKind, FileLocks};
use lockutils_tests::{
    ByHand, Directory, LIMIT, Process, Recorder, eventually, is_out_of_order, skip,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// A name of a lock file.
struct Name {
    locks: FileLocks,
    key: &'static str,
}

impl Name {
    fn new(locks: FileLocks, key: &'static str) -> Self {
        Self { locks, key }
    }

    fn handle(&self) -> lockutils::FileHandle<'_, &'static str> {
        self.locks.key(self.key)
    }
}

/// Two names of one file.
struct Names {
    what: &'static str,
    one: Name,
    other: Name,
    directory: Directory,
}

/// Ways to have a second name of the file `real/key` in a directory.
type Way = (&'static str, fn(&Directory) -> Name);

const WAYS: [Way; 7] = [
    ("symbolic link", |directory| {
        symlink("real", directory.join("link")).unwrap();
        Name::new(FileLocks::new(directory.join("link")), "key")
    }),
    ("symbolic link further up", |directory| {
        symlink(&**directory, directory.join("up")).unwrap();
        Name::new(FileLocks::new(directory.join("up/real")), "key")
    }),
    ("..", |directory| {
        fs::create_dir(directory.join("beside")).unwrap();
        Name::new(FileLocks::new(directory.join("beside/../real")), "key")
    }),
    ("hard link", |directory| {
        fs::hard_link(directory.join("real/key"), directory.join("real/again")).unwrap();
        Name::new(FileLocks::new(directory.join("real")), "again")
    }),
    ("hard link elsewhere", |directory| {
        fs::create_dir(directory.join("beside")).unwrap();
        fs::hard_link(directory.join("real/key"), directory.join("beside/key")).unwrap();
        Name::new(FileLocks::new(directory.join("beside")), "key")
    }),
    ("prefix", |directory| {
        Name::new(FileLocks::new(directory.join("real")).prefix("k"), "ey")
    }),
    ("oslo", |directory| {
        symlink("real", directory.join("link")).unwrap();
        Name::new(FileLocks::oslo(directory.join("link"), ""), "key")
    }),
];

/// Every way, with the file there; also the other way round, where the second name is used
/// first.
fn names() -> impl Iterator<Item = Names> {
    let both = WAYS.iter().flat_map(|way| [(way, false), (way, true)]);
    both.map(|((what, way), turned)| {
        let directory = Directory::new();
        fs::create_dir(directory.join("real")).unwrap();
        fs::write(directory.join("real/key"), "").unwrap();
        let one = Name::new(FileLocks::new(directory.join("real")), "key");
        let other = way(&directory);
        let (one, other) = if turned { (other, one) } else { (one, other) };
        Names {
            what,
            one,
            other,
            directory,
        }
    })
}

/// The error is the caller's: it says the space, the key and the path as the caller did.
fn assert_is_of(error: &Error, kind: ErrorKind, name: &Name, what: &str) {
    assert_eq!(error.kind(), kind, "{what}: {error}");
    assert_eq!(error.key(), Some(name.key), "{what}");
    assert_eq!(error.space(), Some(name.locks.name()), "{what}");
    let path = name.locks.path(name.key).unwrap();
    assert_eq!(error.path(), Some(&*path), "{what}");
}

#[test]
fn own_second_lock_by_another_name_is_a_deadlock() {
    for Names {
        what, one, other, ..
    } in names()
    {
        let guard = one.handle().lock().unwrap();
        let error = other.handle().lock_timeout(LIMIT).unwrap_err();
        assert_is_of(&error, ErrorKind::Deadlock, &other, what);
        let text = error.to_string();
        assert!(text.contains("tests/tests/it/file/names.rs:"), "{text}");
        let error = other.handle().lock().unwrap_err();
        assert_is_of(&error, ErrorKind::Deadlock, &other, what);
        let error = other.handle().shared().lock().unwrap_err();
        assert_is_of(&error, ErrorKind::Deadlock, &other, what);
        let error = other.handle().try_lock().unwrap_err();
        assert_is_of(&error, ErrorKind::Busy, &other, what);
        // The in-process lock knows the thread.
        assert!(error.holder().unwrap().site().is_some(), "{error}");
        let again = other.handle().reentrant().lock().unwrap();
        drop(guard);
        assert!(one.handle().is_locked().unwrap(), "{what}");
        drop(again);
        assert!(!one.handle().is_locked().unwrap(), "{what}");
        drop(other.handle().try_lock().unwrap());
    }
}

#[test]
fn keys_that_are_one_file_are_taken_once() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    drop(locks.key("a").lock().unwrap());
    fs::hard_link(directory.join("a"), directory.join("c")).unwrap();
    let keys = locks.keys(["c", "b", "a"]);
    let mut other = holder(&directory);
    let mut assert_held = |guard: Result<_, Error>| {
        for key in ["a", "b", "c"] {
            other.ask_for(&format!("try {key}"), "error Busy");
        }
        drop(guard.unwrap());
        for key in ["a", "b", "c"] {
            other.ask_for(&format!("try {key}"), "held");
            other.ask_for("release", "released");
        }
    };
    assert_held(keys.lock().map(lockutils::Guard::into_async));
    assert_held(keys.try_lock().map(lockutils::Guard::into_async));
    assert_held(keys.lock_timeout(LIMIT).map(lockutils::Guard::into_async));
    assert_held(pollster::block_on(keys.lock_async()));
    assert_held(pollster::block_on(keys.lock_timeout_async(LIMIT)));
    assert_held(keys.shared().lock().map(lockutils::Guard::into_async));
}

#[test]
fn waiters_by_two_names_are_one_queue() {
    for Names {
        what, one, other, ..
    } in names()
    {
        let guard = one.handle().lock().unwrap();
        let waits = [&other, &one, &other, &one].map(|name| name.handle().lock_async());
        let mut waits: Vec<_> = waits.into_iter().map(ByHand::new).collect();
        for wait in &mut waits {
            assert!(wait.poll().is_pending(), "{what}");
        }
        let error = other.handle().lock_timeout(Duration::ZERO).unwrap_err();
        assert_is_of(&error, ErrorKind::Timeout, &other, what);
        // One that leaves is passed over.
        drop(waits.remove(1));
        // Whoever has waited so long is handed it.
        let start = Instant::now();
        eventually("a millisecond is over", || {
            start.elapsed() > Duration::from_millis(1)
        });
        drop(guard);
        let mut waits = waits.into_iter();
        while let Some(mut first) = waits.next() {
            let mut guard = None;
            eventually("the first has it", || {
                guard = match first.poll() {
                    Poll::Ready(guard) => Some(guard.unwrap()),
                    Poll::Pending => None,
                };
                guard.is_some()
            });
            for later in waits.as_mut_slice() {
                assert!(later.poll().is_pending(), "{what}");
            }
            let error = one.handle().try_lock().unwrap_err();
            assert_is_of(&error, ErrorKind::Busy, &one, what);
        }
        drop(one.handle().try_lock().unwrap());
    }
}

#[test]
fn threads_and_tasks_exclude_each_other_by_two_names() {
    const ROUNDS: usize = 100;
    for Names {
        one,
        other,
        directory,
        ..
    } in names()
    {
        let mut process = holder(&directory.join("real"));
        process.tell("tries 50 key");
        let recorder = Recorder::new();
        let all_there = Barrier::new(4);
        thread::scope(|scope| {
            for (index, name) in [&one, &other, &one, &other].into_iter().enumerate() {
                let (recorder, all_there) = (&recorder, &all_there);
                scope.spawn(move || {
                    all_there.wait();
                    for round in 0..ROUNDS {
                        match (index + round) % 4 {
                            0 => {
                                let _guard = name.handle().lock().unwrap();
                                drop(recorder.enter());
                            }
                            1 => {
                                let _guard = name.handle().lock_timeout(LIMIT).unwrap();
                                drop(recorder.enter());
                            }
                            2 => {
                                let _guard =
                                    pollster::block_on(name.handle().lock_async()).unwrap();
                                drop(recorder.enter());
                            }
                            _ => {
                                let _guard = name.handle().shared().lock().unwrap();
                                drop(recorder.enter_shared());
                            }
                        }
                    }
                });
            }
        });
        recorder.assert_exclusive(4 * ROUNDS);
    }
}

#[test]
fn shared_holds_by_two_names_are_of_one_lock() {
    for Names {
        what,
        one,
        other,
        directory,
    } in names()
    {
        let first = one.handle().shared().lock().unwrap();
        let second = other.handle().shared().lock().unwrap();
        let mut process = holder(&directory.join("real"));
        process.ask_for("try key", "error Busy");
        drop(first);
        process.ask_for("try key", "error Busy");
        let error = one.handle().try_lock().unwrap_err();
        assert_is_of(&error, ErrorKind::Busy, &one, what);
        drop(second);
        process.ask_for("try key", "held");
    }
}

/// Both wait for the kernel's lock, and each gets it.
#[test]
fn waiters_by_two_names_wait_for_another_process() {
    for Names {
        what,
        one,
        other,
        directory,
    } in names()
    {
        let mut process = holder(&directory.join("real"));
        process.ask_for("lock key", "held");
        let recorder = Recorder::new();
        thread::scope(|scope| {
            for name in [&one, &other] {
                scope.spawn(|| {
                    let _guard = name.handle().lock_timeout(LIMIT).unwrap();
                    drop(recorder.enter());
                });
            }
            let is_here = |space: &str| Path::new(space).starts_with(&*directory);
            eventually("one waits for the other", || {
                let states = lockutils::snapshot();
                let mut here = states.iter().filter(|state| is_here(state.space));
                here.any(|state| state.waiters == 2)
            });
            process.ask_for("release", "released");
        });
        recorder.assert_exclusive(2);
        drop(one.handle().try_lock().expect(what));
    }
}

#[test]
fn who_looks_by_another_name_sees_the_same() {
    for Names {
        what, one, other, ..
    } in names()
    {
        let guard = one.handle().lock().unwrap();
        assert!(other.handle().is_locked().unwrap(), "{what}");
        lockutils::assert_locked!(other.locks, other.key);
        let mut waiter = ByHand::new(one.handle().lock_async());
        assert!(waiter.poll().is_pending());
        let states = other.locks.states().unwrap();
        let state = states.iter().find(|state| state.key.as_str() == other.key);
        assert_eq!(state.expect(what).waiters, 1, "{what}");
        drop(waiter);
        if what != "oslo" {
            let error = other.locks.remove(other.key).unwrap_err();
            assert_is_of(&error, ErrorKind::Busy, &other, what);
            let swept = other.locks.sweep().unwrap();
            assert!(swept.removed.is_empty() && !swept.busy.is_empty(), "{what}");
            drop(guard);
            assert!(other.locks.remove(other.key).unwrap(), "{what}");
            // Those that were one name by two ways are gone both, and made anew.
            drop(one.handle().lock().unwrap());
        }
    }
}

/// Where it leads to is what counts, also when its former file is held.
#[test]
fn directory_that_is_another_one_now_is_another_lock() {
    let directory = Directory::new();
    let at = |name| directory.join(name);
    fs::create_dir(at("first")).unwrap();
    fs::create_dir(at("second")).unwrap();
    symlink("first", at("link")).unwrap();
    let (first, link) = (FileLocks::new(at("first")), FileLocks::new(at("link")));
    drop(link.key("key").lock().unwrap());
    fs::remove_file(at("link")).unwrap();
    symlink("second", at("link")).unwrap();
    let _first = first.key("key").lock().unwrap();
    let link_guard = link.key("key").lock_timeout(LIMIT).unwrap();
    holder(&at("second")).ask_for("try key", "error Busy");
    // And back again.
    drop(link_guard);
    fs::remove_file(at("link")).unwrap();
    symlink("first", at("link")).unwrap();
    let error = link.key("key").lock_timeout(LIMIT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock);
    assert_eq!(error.path(), Some(&*at("link/key")));
}

#[test]
fn directory_made_anew_is_one_by_both_spellings() {
    if is_out_of_order("one file is taken by two names, in both orders") {
        return;
    }
    let directory = Directory::new();
    let (real, link) = (directory.join("real"), directory.join("link"));
    symlink("real", &link).unwrap();
    let spellings = [FileLocks::new(&real), FileLocks::new(&link)];
    for round in 0..4 {
        fs::create_dir(&real).unwrap();
        let [one, other] = [round % 2, (round + 1) % 2].map(|index| spellings[index].key("key"));
        let guard = one.lock().unwrap();
        let error = other.lock_timeout(LIMIT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        assert!(other.is_locked().unwrap());
        drop(guard);
        drop(other.lock().unwrap());
        fs::remove_dir_all(&real).unwrap();
    }
}

/// Those who name a lock alike exclude each other also when its file was removed.
#[test]
fn removed_file_still_excludes_those_of_the_process_who_use_its_name() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let guard = locks.key("key").lock().unwrap();
    fs::remove_file(directory.join("key")).unwrap();
    let error = locks.key("key").try_lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(locks.key("key").reentrant().lock().unwrap());
    drop(guard);
    let _guard = locks.key("key").lock().unwrap();
    holder(&directory).ask_for("try key", "error Busy");
}

/// Also by the name that it has been held by all the time, after it was taken by the other one.
#[test]
fn hard_link_is_the_same_lock_after_its_other_name_was_removed() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    drop(locks.key("a").lock().unwrap());
    fs::hard_link(directory.join("a"), directory.join("b")).unwrap();
    let guard = locks.key("a").lock().unwrap();
    fs::remove_file(directory.join("a")).unwrap();
    let error = locks.key("b").lock_timeout(LIMIT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock);
    let error = locks.key("b").try_lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    let again = locks.key("b").reentrant().lock().unwrap();
    let mut process = holder(&directory);
    process.ask_for("try b", "error Busy");
    // The new file of the removed name is another lock, for those who don't hold the old one.
    process.ask_for("lock a", "held");
    drop(locks.key("a").reentrant().try_lock().unwrap());
    drop(guard);
    process.ask_for("try b", "error Busy");
    // By now it isn't held by that name.
    let error = locks.key("a").reentrant().try_lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(again);
    process.ask_for("lock b", "held");
}

/// That others in the process share it doesn't make it the caller's.
#[test]
fn reentrant_thread_does_not_share_a_removed_file_that_others_hold() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let _others = locks.key("key").shared().lock().unwrap().into_async();
    fs::remove_file(directory.join("key")).unwrap();
    let mut process = holder(&directory);
    process.ask_for("lock key", "held");
    let error = locks.key("key").shared().reentrant().try_lock();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Busy);
}

/// A wait that began while the file was held ends with the file that is there then.
#[test]
fn waiter_whose_file_is_removed_excludes_those_who_come_later() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    for shared in [false, true] {
        let guard = locks.key("key").shared().lock().unwrap();
        let handle = locks.key("key");
        let mut waiter = ByHand::new(handle.clone().lock_async());
        if !shared {
            assert!(waiter.poll().is_pending());
        }
        fs::remove_file(directory.join("key")).unwrap();
        let mut process = holder(&directory);
        process.ask_for("lock key", "held");
        if shared {
            let error = handle.shared().try_lock().unwrap_err();
            assert_eq!(error.holder().unwrap().pid(), Some(process.id()));
            continue;
        }
        drop(guard);
        assert!(waiter.poll().is_pending());
        process.ask_for("release", "released");
        let mut guard = None;
        eventually("the waiter has it", || {
            guard = match waiter.poll() {
                Poll::Ready(guard) => Some(guard.unwrap()),
                Poll::Pending => None,
            };
            guard.is_some()
        });
        process.ask_for("try key", "error Busy");
    }
}

/// A process for which a file system is mounted at `mounted` in its directory, and that locks
/// in the directory `real` there. `None` where this machine lets none be mounted.
fn mounted(directory: &Directory, mount: &str) -> Option<Process> {
    for name in ["real", "mounted"] {
        fs::create_dir(directory.join(name)).unwrap();
    }
    let script = format!("cd \"$1\" && {mount} && exec \"$0\" \"$1/real\" ''");
    let mut command = Command::new("unshare");
    // Only the machine's own root can mount an image.
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "sh", "-c", &script, HOLDER]);
    let mut process = Process::start(command.arg(&**directory).stderr(Stdio::null()));
    process.tell("open");
    process.hear().map(|_| process)
}

#[test]
fn bind_mount_is_one_lock() {
    let directory = Directory::new();
    let Some(mut process) = mounted(&directory, "mount --bind real mounted") else {
        return skip("no directory can be mounted here");
    };
    let there = directory.join("mounted");
    let there = there.display();
    process.ask_for("lock key", "held");
    let error = process.ask_for(&format!("in {there} timeout 60000 key"), "error Deadlock");
    assert!(error.contains(&format!("{there}/key")), "{error}");
    process.ask_for(&format!("in {there} try key"), "error Busy");
    process.ask_for("release", "released");
    process.ask_for(&format!("in {there} lock key"), "held");
    process.ask_for("timeout 60000 key", "error Deadlock");
}

#[test]
fn upper_and_lower_case_are_one_lock_where_the_file_system_has_it_so() {
    let directory = Directory::new();
    let mount = "truncate -s 1M image && mkfs.vfat image >&2 && mount -o loop image mounted";
    let Some(mut process) = mounted(&directory, mount) else {
        return skip("no file system without upper and lower case can be mounted here");
    };
    let there = directory.join("mounted");
    let ask = |command: &str| format!("in {} {command}", there.display());
    process.ask_for(&ask("lock key"), "held");
    let error = process.ask_for(&ask("timeout 60000 KEY"), "error Deadlock");
    assert!(error.contains("/KEY"), "{error}");
    process.ask_for(&ask("try Key"), "error Busy");
    process.ask_for("release", "released");
    process.ask_for(&ask("keys A b a B"), "held");
    process.ask_for(&ask("try a"), "error Busy");
}

/// Also where its file is open, and is found by the text of the key.
#[test]
fn key_with_the_text_of_another_ones_file_name_is_another_lock() {
    let directory = Directory::new();
    let (locks, oslo) = (
        FileLocks::new(&*directory),
        FileLocks::oslo(&*directory, ""),
    );
    let long = "long".repeat(60);
    for key in ["a/b", ".x", &long] {
        let name = locks.path(key).unwrap();
        let name = name.file_name().unwrap().to_str().unwrap();
        for _ in 0..2 {
            drop(locks.key(name).lock().unwrap());
            let _guard = locks.key(key).lock().unwrap();
            drop(locks.key(name).try_lock().unwrap());
        }
    }
    for key in [".y", "c~"] {
        for _ in 0..2 {
            // What has the name of the key there is no file of the key here.
            let _guard = oslo.key(key).lock().unwrap();
            drop(locks.key(key).try_lock().unwrap());
        }
    }
}

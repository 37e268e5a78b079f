//! What is wrong with a lock file is an error that says so, and what helps.

use super::file_system::FileSystem;
use super::{HOLDER, holder, nobody, under_strace};
use lockutils::{Error, ErrorKind, FileLocks};
use lockutils_tests::{Directory, NOBODY, Process, skip};
use std::error::Error as _;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn source(error: &Error) -> io::ErrorKind {
    let source = error.source().unwrap().downcast_ref::<io::Error>();
    source.unwrap().kind()
}

/// The error of every way to take a lock is one of the file, and names its path and a remedy.
fn refused(locks: &FileLocks, key: &str, remedy: &str) -> io::ErrorKind {
    let (path, long) = (locks.path(key).unwrap(), Duration::from_secs(60));
    let handle = locks.key(key);
    let errors = [
        handle.lock().map(drop).unwrap_err(),
        handle.try_lock().map(drop).unwrap_err(),
        handle.lock_timeout(long).map(drop).unwrap_err(),
        handle.clone().shared().lock().map(drop).unwrap_err(),
        handle.clone().reentrant().lock().map(drop).unwrap_err(),
        locks.keys([key]).lock().map(drop).unwrap_err(),
        pollster::block_on(handle.lock_async())
            .map(drop)
            .unwrap_err(),
        pollster::block_on(handle.lock_timeout_async(long))
            .map(drop)
            .unwrap_err(),
    ];
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert_eq!(error.path(), Some(&*path));
        assert_eq!(error.key(), Some(key));
        let text = error.to_string();
        assert!(text.contains(path.to_str().unwrap()), "{text}");
        assert!(text.contains(remedy), "{text}");
    }
    source(&errors[0])
}

#[test]
fn busy_error_names_the_process_that_holds() {
    let directory = Directory::new();
    let mut other = Process::start(Command::new(HOLDER).arg(&*directory).arg("vm-"));
    other.ask_for("lock a/b", "held");
    let locks = FileLocks::new(&*directory).prefix("vm-");
    let error = locks.key("a/b").try_lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.key(), Some("a/b"));
    assert_eq!(error.space(), Some(directory.join("vm-").to_str().unwrap()));
    assert_eq!(error.path(), Some(&*directory.join("vm-a%2Fb")));
    let holder = error.holder().unwrap();
    assert_eq!(holder.pid(), Some(other.id()));
    assert_eq!(holder.command(), Some("holder"));
    assert!(holder.since().unwrap().elapsed().unwrap() < Duration::from_mins(2));
    assert!(holder.place().unwrap().starts_with("tests/src/holder.rs:"));
    assert_eq!(holder.host(), None);
    let text = error.to_string();
    let path = directory.join("vm-a%2Fb");
    let beginning = format!("lock {path:?} is busy: held by tests/src/holder.rs:");
    assert!(text.starts_with(&beginning), "{text}");
    let process = format!(" in process {} (holder), for ", other.id());
    assert!(text.contains(&process), "{text}");
}

#[test]
fn who_looks_at_the_holder_is_told_the_process() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    assert!(locks.key("key").holder().unwrap().is_none());
    assert!(!directory.join("key").exists());
    let mut other = holder(&directory);
    other.ask_for("shared key", "held");
    let holder = locks.key("key").holder().unwrap().unwrap();
    assert_eq!(holder.pid(), Some(other.id()));
    other.ask_for("release", "released");
    assert!(locks.key("key").holder().unwrap().is_none());
}

#[test]
fn timeout_error_names_the_thread_of_this_process_that_holds() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let _guard = locks.key("key").lock().unwrap().into_async();
    let timeout = Duration::from_millis(20);
    let error = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| locks.key("key").lock_timeout(timeout).map(drop));
        waiter.join().unwrap().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.waited() >= timeout);
    let holder = error.holder().unwrap();
    assert!(holder.site().is_some() && holder.pid().is_none());
}

/// Who waits in this process for another one is not named as the holder.
#[test]
fn holder_is_not_the_one_who_waits_first() {
    let directory = Directory::new();
    let mut other = holder(&directory);
    other.ask_for("lock key", "held");
    let locks = FileLocks::new(&*directory);
    let mut first = lockutils_tests::ByHand::new(locks.key("key").lock_async());
    assert!(first.poll().is_pending());
    let error = locks.key("key").try_lock().unwrap_err();
    assert_eq!(error.holder().unwrap().pid(), Some(other.id()));
    let error = locks.key("key").lock_timeout(Duration::ZERO).unwrap_err();
    assert_eq!(error.holder().unwrap().pid(), Some(other.id()));
}

#[test]
fn own_second_lock_is_a_deadlock() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let _guard = locks.key("key").lock().unwrap();
    // Another space of the same directory and prefix is the same.
    let again = FileLocks::new(&*directory);
    let error = again.key("key").lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock);
    assert_eq!(error.path(), Some(&*directory.join("key")));
    let inner = locks.key("key").reentrant().lock();
    assert!(inner.is_ok());
}

#[test]
fn key_without_a_file_is_invalid() {
    let directory = Directory::new();
    let own = FileLocks::new(&*directory);
    let oslo = FileLocks::oslo(&*directory, "");
    for (locks, key) in [
        (&own, ""),
        (&oslo, ""),
        (&oslo, "."),
        (&oslo, ".."),
        (&oslo, "a\0b"),
        (&oslo, &"x".repeat(256)),
    ] {
        for error in [
            locks.key(key).lock().map(drop).unwrap_err(),
            locks.key(key).try_lock().map(drop).unwrap_err(),
            locks.key(key).is_locked().map(drop).unwrap_err(),
            locks.keys(["fine", key]).lock().map(drop).unwrap_err(),
            pollster::block_on(locks.key(key).lock_async())
                .map(drop)
                .unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            assert_eq!(error.key(), Some(key));
            assert!(error.to_string().contains("; "), "{error}");
        }
    }
    assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
}

#[test]
fn other_things_in_the_place_of_the_file_are_errors() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let at = |name| directory.join(name);

    fs::create_dir(at("directory")).unwrap();
    refused(&locks, "directory", "remove that");

    fs::write(at("target"), "precious").unwrap();
    symlink(at("target"), at("symlink")).unwrap();
    refused(&locks, "symlink", "symbolic link");
    symlink(at("nowhere"), at("dangling")).unwrap();
    refused(&locks, "dangling", "symbolic link");
    assert_eq!(fs::read_to_string(at("target")).unwrap(), "precious");
    assert!(!at("nowhere").exists());

    let made = Command::new("mkfifo").arg(at("fifo")).status().unwrap();
    assert!(made.success());
    refused(&locks, "fifo", "remove that");
    let mut device = Command::new("mknod");
    device.arg(at("device")).args(["c", "1", "3"]);
    if device.stderr(Stdio::null()).status().unwrap().success() {
        refused(&locks, "device", "another directory");
    } else {
        skip("no device can be made here");
    }
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    refused(&locks, "socket", "another directory");
}

/// Whoever can write to the directory could have us write over a file of another program's.
#[test]
fn file_with_another_name_is_refused_where_others_can_write() {
    let (directory, elsewhere) = (Directory::new(), Directory::new());
    let locks = FileLocks::new(&*directory);
    let (precious, link) = (elsewhere.join("precious"), directory.join("key"));
    fs::write(&precious, "precious").unwrap();
    fs::hard_link(&precious, &link).unwrap();
    let before = fs::metadata(&precious).unwrap().modified().unwrap();
    let set_mode = |mode| fs::set_permissions(&*directory, Permissions::from_mode(mode)).unwrap();
    for mode in [0o777, 0o1777, 0o770, 0o2775] {
        set_mode(mode);
        let kind = refused(&locks, "key", "remove this name of it");
        assert_eq!(kind, io::ErrorKind::TooManyLinks);
    }
    set_mode(0o755);
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&*directory, Some(NOBODY), None).unwrap();
        refused(&locks, "key", "another program's");
        std::os::unix::fs::chown(&*directory, Some(0), None).unwrap();
    } else {
        skip("only root can give a directory away");
    }
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    assert_eq!(fs::metadata(&precious).unwrap().modified().unwrap(), before);
    // Nobody else can have made that name now.
    drop(locks.key("key").lock().unwrap());
    set_mode(0o777);
    fs::remove_file(&precious).unwrap();
    drop(locks.key("key").lock().unwrap());
}

#[test]
fn file_in_the_place_of_the_directory_is_an_error() {
    let directory = Directory::new();
    fs::write(directory.join("file"), "").unwrap();
    let kind = refused(
        &FileLocks::new(directory.join("file")),
        "key",
        "a file is where",
    );
    assert_eq!(kind, io::ErrorKind::NotADirectory);
    let kind = refused(
        &FileLocks::new(directory.join("file/x/y")),
        "key",
        "a file is where",
    );
    assert_eq!(kind, io::ErrorKind::NotADirectory);
}

/// What the kernel lets a process do that isn't root's, in a directory of root's, or of
/// nobody's where the test isn't root.
fn of_nobody(directory: &Directory, command: &str) -> String {
    fs::set_permissions(&**directory, Permissions::from_mode(0o755)).unwrap();
    nobody(&directory.join("locks")).ask(command)
}

fn assert_refused(answer: &str, path: &Path, remedy: &str) {
    assert!(answer.starts_with("error Io "), "{answer}");
    assert!(answer.contains(path.to_str().unwrap()), "{answer}");
    assert!(answer.contains(remedy), "{answer}");
}

#[test]
fn directory_without_permission_is_an_error() {
    let directory = Directory::new();
    let locks = directory.join("locks");
    fs::create_dir(&locks).unwrap();
    for (mode, command) in [
        (0o555, "lock key"),
        (0o000, "lock key"),
        (0o555, "async key"),
    ] {
        fs::set_permissions(&locks, Permissions::from_mode(mode)).unwrap();
        let answer = of_nobody(&directory, command);
        assert_refused(&answer, &locks.join("key"), "write access");
    }
}

#[test]
fn file_without_permission_is_an_error() {
    let directory = Directory::new();
    let locks = directory.join("locks");
    fs::create_dir(&locks).unwrap();
    fs::write(locks.join("key"), "").unwrap();
    fs::set_permissions(locks.join("key"), Permissions::from_mode(0o444)).unwrap();
    let answer = of_nobody(&directory, "try key");
    assert_refused(&answer, &locks.join("key"), "write access");
}

/// Nothing, and less than a record, may be written. Who tried it would be killed, or be told so.
#[test]
fn lock_is_had_where_no_record_may_be_written() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut before = holder(&directory);
    for (signal, most) in [("", 0), ("", 100), ("trap '' XFSZ; ", 0)] {
        // The one before lives on, and is not to be taken for the holder.
        before.ask_for("lock key", "held");
        before.ask_for("release", "released");
        let script = format!("{signal}exec \"$0\" \"$1\" ''");
        let mut shell = Command::new("sh");
        let mut process = Process::start(shell.args(["-c", &script, HOLDER]).arg(&*directory));
        process.ask_for(&format!("size {most}"), "done");
        for command in ["lock", "shared", "try", "async", "timeout 60000"] {
            process.ask_for(&format!("{command} key"), "held");
            let error = locks.key("key").try_lock().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Busy);
            assert!(error.holder().is_none(), "{error}");
            let states = locks.look().unwrap();
            assert!(states.held[0].holders.is_empty() && states.failed.is_empty());
            process.ask_for("release", "released");
            assert!(!locks.key("key").is_locked().unwrap());
        }
    }
    before.ask_for("lock key", "held");
    let holder = locks.key("key").holder().unwrap().unwrap();
    assert_eq!(holder.pid(), Some(before.id()));
}

/// Whatever the reason, and even if the record of the one before can't be taken away.
#[test]
fn lock_is_had_where_the_system_writes_no_record() {
    for error in ["EDQUOT", "EFBIG", "EIO", "ENOSPC", "EROFS"] {
        for calls in ["pwrite64", "pwrite64,ftruncate"] {
            let directory = Directory::new();
            let fail = format!("inject={calls}:error={error}");
            let options = ["-o", "/dev/null", "-e", &fail];
            let Some(mut process) = under_strace(&options, &directory) else {
                return;
            };
            let locks = FileLocks::new(&*directory);
            drop(locks.key("key").lock().unwrap());
            process.ask_for("lock key", "held");
            let busy = locks.key("key").try_lock().unwrap_err();
            assert_eq!(busy.kind(), ErrorKind::Busy);
            assert_eq!(busy.holder().is_some(), calls.contains("ftruncate"));
            process.ask_for("release", "released");
            drop(locks.key("key").lock().unwrap());
        }
    }
}

/// Has a lock be asked for on a file system.
fn refused_on_a_file_system(mount: &str, remedy: &str) {
    if let Some(file_system) = FileSystem::mount(mount) {
        let answer = file_system.holder().ask("lock key");
        assert_refused(&answer, &file_system.directory.join("key"), remedy);
    }
}

#[test]
fn lock_is_had_on_a_full_file_system() {
    let mount = "mount -t tmpfs -o size=4k none \"$1\" && head -c 4096 /dev/zero >\"$1/full\"";
    if let Some(file_system) = FileSystem::mount(mount) {
        let mut process = file_system.holder();
        for command in ["lock key", "try other", "async third", "shared too"] {
            process.ask_for(command, "held");
        }
        let error = process.ask_for("try key", "error Busy");
        assert!(error.contains("tests/src/holder.rs"), "{error}");
    }
}

#[test]
fn file_system_without_room_for_a_file_is_an_error() {
    let mount = "mount -t tmpfs -o nr_inodes=1 none \"$1\"";
    refused_on_a_file_system(mount, "make some room");
}

#[test]
fn read_only_file_system_is_an_error() {
    let mount = "mount -t tmpfs -o ro none \"$1\"";
    refused_on_a_file_system(mount, "can be written to");
}

/// Files that are kept open for speed are closed when others need the descriptors, and what
/// is held stays held.
#[test]
fn descriptor_limit_is_an_error_and_costs_no_lock() {
    let directory = Directory::new();
    let mut process = holder(&directory);
    for key in 0..60 {
        process.ask_for(&format!("lock kept-{key}"), "held");
        process.ask_for("release", "released");
    }
    process.ask_for("files 40", "done");
    let mut held = 0;
    let error = loop {
        let answer = process.ask(&format!("lock {held:02}"));
        if !answer.starts_with("held") {
            break answer;
        }
        held += 1;
    };
    assert!(held > 20, "{held}: {error}");
    assert_refused(&error, &directory.join(format!("{held:02}")), "ulimit -n");
    let locks = FileLocks::new(&*directory);
    assert!((0..held).all(|key| locks.key(format!("{key:02}")).is_locked().unwrap()));
    process.ask_for("release", "released");
    process.ask_for("lock again", "held");
}

/// A file that the process knows is opened once more by who waits for it, and by who looks.
#[test]
fn files_kept_open_are_closed_for_who_waits_or_looks() {
    let directory = Directory::new();
    let mut other = holder(&directory);
    other.ask_for("lock busy", "held");
    for (command, answer) in [
        ("timeout 50 busy", "error Timeout"),
        ("holder busy", "holder"),
    ] {
        let mut process = holder(&directory);
        process.ask_for("try busy", "error Busy");
        for key in 0..60 {
            process.ask_for(&format!("lock kept-{key}"), "held");
            process.ask_for("release", "released");
        }
        process.ask_for("files 40", "done");
        let text = process.ask_for(command, answer);
        assert!(text.contains(&other.id().to_string()), "{text}");
    }
}

#[test]
fn descriptors_stay_under_the_cap() {
    let directory = Directory::new();
    let mut process = holder(&directory);
    let before = number_of_open_files(&mut process);
    process.tell("stay 1 0 first");
    for key in 0..1000 {
        process.tell(&format!("stay 1 0 {key}"));
    }
    for _ in 0..=1000 {
        process.hear_of("in");
        process.hear_of("out");
        process.hear_of("done");
    }
    let after = number_of_open_files(&mut process);
    assert!(
        after > before && after <= before + FileLocks::KEPT_OPEN,
        "{before}, {after}"
    );
}

fn number_of_open_files(process: &mut Process) -> usize {
    process.ask_for("open", "open").parse().unwrap()
}

#[test]
fn clock_of_the_file_system_may_be_in_the_future() {
    let directory = Directory::new();
    let mut other = holder(&directory);
    other.ask_for("lock key", "held");
    let future = std::time::SystemTime::now() + Duration::from_hours(1_000_000);
    let file = fs::File::open(directory.join("key")).unwrap();
    file.set_modified(future).unwrap();
    let locks = FileLocks::new(&*directory);
    assert_eq!(
        locks.key("key").try_lock().unwrap_err().kind(),
        ErrorKind::Busy
    );
    other.ask_for("release", "released");
    for _ in 0..3 {
        drop(locks.key("key").lock().unwrap());
        file.set_modified(future).unwrap();
    }
}

/// Who can write to a lock file can write anything there.
#[test]
fn forged_record_is_no_more_than_an_unknown_holder() {
    let directory = Directory::new();
    let mut other = holder(&directory);
    other.ask_for("lock key", "held");
    for forged in ["", "lockutils 1 ", "\0\u{1b}[2J", &"x".repeat(100_000)] {
        fs::write(directory.join("key"), forged).unwrap();
        let error = FileLocks::new(&*directory)
            .key("key")
            .try_lock()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.holder().is_none(), "{error}");
    }
}

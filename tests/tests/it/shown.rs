//! What `{:?}` and `{}` show, and what else all types of the crate have in common.

use lockutils::{
    AsyncGuard, Deadlock, Error, ErrorKind, FileHandle, FileKeysHandle, FileLockFuture, FileLocks,
    Guard, Handle, Holder, Key, KeysHandle, LockFuture, LockState, LockTimeoutFuture, Locks,
    ReentrantFileHandle, ReentrantHandle, Site, synchronized,
};
use lockutils_tests::{ByHand, Directory, states};
use std::error::Error as _;
use std::fmt::Debug;
use std::fs;
use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind};
use std::task::{Context, Waker};
use std::time::Duration;

/// A guard or a future of one lock.
fn of_one(name: &str, (space, key): (&str, &str), line: u32) -> String {
    let site = format!("{}:{line}", file!());
    format!("{name} {{ space: {space:?}, key: {key:?}, site: {site} }}")
}

fn of_two(name: &str, space: &str, keys: [&str; 2], line: u32) -> String {
    let [first, second] = keys.map(|key| of_one("Lock", (space, key), line));
    format!("{name} {{ locks: [{first}, {second}] }}")
}

fn shown(value: impl Debug) -> String {
    format!("{value:?}")
}

#[test]
fn guard_shows_its_lock_and_its_site() {
    const LOCK: (&str, &str) = ("shown guards", "2f1c");
    let locks = Locks::new("shown guards");
    let key = locks.key("2f1c");
    let (guard, line) = (key.lock(), line!());
    assert_eq!(shown(&guard), of_one("Guard", LOCK, line));
    // Again, now that it has been looked at; and as it is awaited, and handed over.
    assert_eq!(shown(&guard), of_one("Guard", LOCK, line));
    let (mut wait, later) = (ByHand::new(key.lock_async()), line!());
    assert!(wait.poll().is_pending());
    assert_eq!(shown(&guard), of_one("Guard", LOCK, line));
    let guard = guard.into_async();
    assert_eq!(shown(&guard), of_one("AsyncGuard", LOCK, line));
    drop(guard);
    let guard = wait.finish();
    assert_eq!(shown(&guard), of_one("AsyncGuard", LOCK, later));
    drop(guard);

    let (guards, line) = ([(); 2].map(|()| locks.key("2f1c").shared().lock()), line!());
    assert_eq!(
        guards.map(shown),
        [(); 2].map(|()| of_one("Guard", LOCK, line))
    );
    let (guard, line) = (locks.keys([7, 3]).lock(), line!());
    let text = of_two("Guard", "shown guards", ["3", "7"], line);
    assert_eq!(shown(guard), text);
    assert_eq!(shown(locks.keys([0; 0]).lock()), "Guard { locks: [] }");
}

/// Neither a key nor a space, whose prefix may be what somebody typed, begins a line or names another lock.
#[test]
fn text_of_a_lock_is_one_line() {
    let locks = Locks::new("shown\n\"text\"");
    let guards = locks.keys(["", "k\n\u{1b}"]).lock();
    for (key, name) in [
        ("", r#""shown\n\"text\"""#),
        ("k\n\u{1b}", r#""shown\n\"text\"/k\n\u{1b}""#),
    ] {
        let error = locks.key(key).try_lock().unwrap_err();
        let start = format!("lock {name} is busy: held by ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
    drop(guards);
}

#[test]
fn guard_of_a_function_shows_its_name() {
    #[synchronized("shown", guard = guard)]
    fn function() -> String {
        shown(guard)
    }
    let text = function();
    let start = "Guard { space: \"global\", key: \"shown\", site: function (";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn guard_of_a_lock_file_shows_its_lock_and_its_site() {
    let directory = Directory::new();
    let files = FileLocks::new(&*directory).prefix("nova-");
    let (guard, line) = (files.key("a/b").lock().unwrap(), line!());
    let text = of_one("Guard", (files.name(), "a/b"), line);
    assert_eq!(shown(guard), text);
    let (guard, line) = (files.keys(["b", "a"]).lock().unwrap(), line!());
    let text = of_two("Guard", files.name(), ["a", "b"], line);
    assert_eq!(shown(guard), text);
}

#[test]
fn future_shows_its_lock_and_its_site() {
    const LOCK: (&str, &str) = ("shown futures", "2f1c");
    let locks = Locks::new("shown futures");
    let key = locks.key("2f1c");
    let (future, line) = (key.lock_async(), line!());
    assert_eq!(shown(future), of_one("LockFuture", LOCK, line));
    let (future, line) = (key.lock_timeout_async(Duration::ZERO), line!());
    assert_eq!(shown(future), of_one("LockTimeoutFuture", LOCK, line));
    let (future, line) = (locks.keys(["a", "b"]).lock_async(), line!());
    let text = of_two("LockFuture", "shown futures", ["a", "b"], line);
    assert_eq!(shown(future), text);

    let guard = key.lock();
    let (mut wait, line) = (Box::pin(key.lock_async()), line!());
    let poll = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending());
    assert_eq!(shown(&wait), of_one("LockFuture", LOCK, line));
    drop(guard);

    let directory = Directory::new();
    let files = FileLocks::new(&*directory);
    let (future, line) = (files.key("2f1c").lock_async(), line!());
    let lock = (files.name(), "2f1c");
    assert_eq!(shown(future), of_one("LockFuture", lock, line));
}

#[test]
fn space_shows_its_name_and_handle_its_key() {
    let locks = Locks::new("shown").permits(4).fair();
    let text = "Locks { name: \"shown\", permits: 4, fair: true, .. }";
    assert_eq!(shown(&locks), text);
    assert!(shown(locks.key("2f1c")).contains("key: \"2f1c\""));
    assert!(shown(locks.keys(["2f1c"])).contains("keys: [\"2f1c\"]"));
}

#[test]
fn error_shows_its_text() {
    let locks = Locks::new("shown errors");
    let _guard = locks.key("2f1c").lock();
    let busy = locks.key("2f1c").try_lock().unwrap_err();
    assert_eq!(shown(&busy), busy.to_string());
    let deadlock = locks.key("2f1c").lock_timeout(Duration::MAX).unwrap_err();
    assert_eq!(deadlock.kind(), ErrorKind::Deadlock);
    assert_eq!(shown(&deadlock), deadlock.to_string());

    let directory = Directory::new();
    let file = directory.join("file");
    fs::write(&file, "").unwrap();
    let error = FileLocks::new(&file).key("2f1c").lock().unwrap_err();
    let source = error.source().unwrap();
    assert_eq!(shown(&error), format!("{error}: {source}"));
    let refused = || -> Result<(), Error> { Err(error) };
    let panic = catch_unwind(|| refused().unwrap()).unwrap_err();
    let text = panic.downcast::<String>().unwrap();
    assert!(text.contains("can't") && !text.contains("kind:"), "{text}");
}

#[test]
fn state_is_a_line() {
    let locks = Locks::new("shown states").permits(5);
    let sent = |line: u32| {
        let site = format!("{}:{line}", file!());
        format!("{site} in a guard that was sent on, or a thread that ends")
    };
    let state = || states(&locks)[0].to_string();
    let (guard, line) = (locks.key(7).lock().into_async(), line!());
    let first = sent(line);
    assert_eq!(state(), format!("\"shown states/7\": held by {first}"));

    let more = || locks.key(7).lock().into_async();
    let (others, other) = ([(); 4].map(|()| more()), sent(line!() - 1));
    let held = format!("\"shown states/7\": held by {first}, {other}, {other} and 2 more");
    assert_eq!(state(), held);
    let mut waits = [(); 2].map(|()| ByHand::new(locks.key(7).lock_async()));
    assert!(waits[0].poll().is_pending());
    let one = state();
    assert!(one.starts_with(&format!("{held}; 1 waits, for ")), "{one}");
    assert!(waits[1].poll().is_pending());
    let two = state();
    assert!(
        two.starts_with(&format!("{held}; 2 wait, the first for ")),
        "{two}"
    );
    drop((guard, others));
}

/// What a panic leaves half-done is what the lock guards, and none of these.
#[test]
fn all_types_are_unwind_safe() {
    fn check<T: UnwindSafe + RefUnwindSafe>() {}
    check::<Guard>();
    check::<AsyncGuard>();
    check::<LockFuture>();
    check::<LockTimeoutFuture>();
    check::<FileLockFuture>();
    check::<Locks>();
    check::<Handle<'_, &str>>();
    check::<ReentrantHandle<'_, &str>>();
    check::<KeysHandle<'_>>();
    check::<FileLocks>();
    check::<FileHandle<'_, &str>>();
    check::<ReentrantFileHandle<'_, &str>>();
    check::<FileKeysHandle<'_>>();
    check::<Error>();
    check::<Deadlock>();
    check::<Holder>();
    check::<LockState>();
    check::<Key>();
    check::<Site>();
}

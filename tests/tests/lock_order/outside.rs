//! Locks that are outside of the process: their line in it is seen.

use super::{panic_of, run};
use lockutils::{FileLocks, Locks};
use lockutils_any::AnyLocks;
use lockutils_tests::{Directory, Lossy};
use std::time::Duration;

#[test]
fn lock_files_of_two_directories_are_two_classes() {
    let (one, other) = (Directory::new(), Directory::new());
    let (one, other) = (FileLocks::new(&*one), FileLocks::new(&*other));
    run(|| {
        let _one = one.key("a").lock().unwrap();
        let _other = other.key("b").lock().unwrap();
    });
    // The files of the first time are out of use by now.
    let text = panic_of("second", || {
        let _other = other.key("c").lock().unwrap();
        let _one = one.key("d").lock().unwrap();
    });
    assert!(text.unwrap().contains("/a ("));
    assert!(other.key("c").try_lock().is_ok());
    assert!(one.key("d").try_lock().is_ok());
}

#[test]
fn lock_file_and_a_lock_of_the_process() {
    static LOCKS: Locks = Locks::new("beside files");
    let directory = Directory::new();
    let files = FileLocks::new(&*directory);
    run(|| {
        let _lock = LOCKS.key(1).lock();
        let _file = files.key("a").shared().lock().unwrap();
    });
    let text = panic_of("executor", || {
        pollster::block_on(async {
            let _file = files.key("b").lock_async().await.unwrap();
            let _lock = LOCKS.key(2).lock_async().await;
        });
    });
    assert!(text.is_some());
}

#[test]
fn lock_files_of_one_directory_have_the_order_of_keys() {
    let directory = Directory::new();
    let files = FileLocks::new(&*directory);
    run(|| {
        let _first = files.key("a").lock().unwrap();
        let _next = files.keys(["c", "b"]).lock().unwrap();
        // What differs by case alone may be one file.
        let _last = files.key("C").lock().unwrap();
    });
    let text = panic_of("second", || {
        let _first = files.key("b").lock().unwrap();
        let _next = files.key("a").lock();
    });
    assert!(
        text.unwrap()
            .ends_with("use keys([..]), which takes them in one order")
    );
    assert!(files.key("b").try_lock().is_ok());
}

/// Which may be another one than that of the keys, as `PostgreSQL`'s is: `keys` goes by it, and is in order.
#[test]
fn locks_of_one_call_may_have_the_order_of_their_engine() {
    let locks = Lossy::locks();
    let taken = ["1z", "2a"];
    run(|| {
        drop(locks.keys(taken).lock().unwrap());
        drop(locks.keys(taken).lock_timeout(Duration::MAX).unwrap());
        drop(pollster::block_on(locks.keys(taken).lock_async()).unwrap());
    });
    // What was held before them counts.
    let text = panic_of("second", || {
        let _first = locks.key("3").lock().unwrap();
        let _next = locks.keys(taken).lock();
    });
    assert!(text.is_some());
}

#[test]
fn sharers_that_take_turns_give_no_order() {
    let (one, other) = (Directory::new(), Directory::new());
    let (one, other) = (FileLocks::new(&*one), FileLocks::new(&*other));
    for _ in 0..2 {
        run(|| {
            let _one = one.key("a").shared().lock().unwrap();
            let _other = other.key("a").shared().lock().unwrap();
        });
    }
}

#[test]
fn locks_of_a_server_are_a_class() {
    static LOCKS: Locks = Locks::new("beside a server");
    let server = AnyLocks::new("memory://lock-order").unwrap();
    run(|| {
        let _lock = LOCKS.key(1).lock();
        let _remote = server.key("a").lock().unwrap();
    });
    let text = panic_of("second", || {
        let _remote = server.key("b").lock().unwrap();
        let _lock = LOCKS.key(2).lock();
    });
    assert!(text.is_some());
    assert!(server.key("b").try_lock().is_ok());
}

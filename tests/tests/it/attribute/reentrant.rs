//! `reentrant`: a thread that holds the key goes straight in.

use super::{Body, waits};
use lockutils::{Error, ErrorKind, Locks, synchronized};
use lockutils_tests::in_time;
use std::thread;

static LOCKS: Locks = Locks::new("attribute reentrant");

#[test]
fn recursive_function_takes_its_key_again() {
    #[synchronized(reentrant)]
    fn factorial(n: u64) -> u64 {
        if n == 0 { 1 } else { n * factorial(n - 1) }
    }
    assert_eq!(factorial(10), 3_628_800);
}

#[test]
fn function_calls_another_of_the_same_key() {
    #[synchronized("outer", locks = LOCKS)]
    fn outer() -> bool {
        inner()
    }
    #[synchronized("outer", locks = LOCKS, reentrant)]
    fn inner() -> bool {
        LOCKS.key("outer").is_locked()
    }
    assert!(outer());
    assert!(!LOCKS.key("outer").is_locked());
}

#[synchronized("others", locks = LOCKS, reentrant)]
fn twice(depth: u32, body: Body) {
    if depth == 0 {
        body();
    } else {
        twice(depth - 1, body);
    }
}

#[test]
fn other_threads_wait_for_the_outermost() {
    in_time(|| {
        assert!(waits(
            "others",
            |body| twice(2, body),
            |body| twice(0, body)
        ));
    });
}

#[test]
fn another_thread_finds_it_busy() {
    #[synchronized("tried", locks = LOCKS, reentrant, nonblocking)]
    fn tried() -> Result<(), Error> {
        Ok(())
    }
    let _guard = LOCKS.key("tried").lock();
    assert!(tried().is_ok());
    let other = thread::spawn(tried).join().unwrap();
    assert_eq!(other.unwrap_err().kind(), ErrorKind::Busy);
}

//! How a space ends.

use crate::{ANSWER_TIMEOUT, LEASE, LONG, locks, wait_for_renewal};
use lockutils::ErrorKind;
use lockutils_conformance::{eventually, in_time};
use std::thread;
use std::time::Duration;

#[test]
fn close_waits_for_what_was_dropped() {
    let locks = locks();
    let other = locks.other_process();
    let guards: Vec<_> = (0..20).map(|key| locks.key(key).lock().unwrap()).collect();
    drop(other.key("warm").lock().unwrap());
    locks.server().delay(Duration::from_millis(20));
    drop(guards);
    locks.close(LONG).unwrap();
    locks.server().delay(Duration::ZERO);
    assert!(other.states().unwrap().is_empty());
    // It can be used again, and closed as well.
    drop(locks.key("key").lock().unwrap());
    locks.close(LONG).unwrap();
    locks.close(LONG).unwrap();
    // Where nothing was asked, there is nothing to wait for.
    crate::locks().close(Duration::ZERO).unwrap();
}

#[test]
fn close_does_not_wait_for_who_holds() {
    let locks = locks();
    let guard = locks.key("key").lock().unwrap();
    locks.close(LONG).unwrap();
    guard.check().unwrap();
    assert!(locks.key("key").is_locked().unwrap());
}

#[test]
fn close_says_that_it_took_too_long() {
    let locks = locks().answer_timeout(ANSWER_TIMEOUT);
    let guard = locks.key("key").lock().unwrap();
    locks.server().cut();
    drop(guard);
    let error = locks.close(Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("50ms"), "{error}");
    locks.server().mend();
    locks.close(LONG).unwrap();
}

#[test]
fn guards_outlive_their_space() {
    let locks = locks().ttl(LEASE);
    let other = locks.other_process();
    let guard = locks.key("key").lock().unwrap();
    drop(locks);
    wait_for_renewal(&guard);
    guard.check().unwrap();
    assert!(other.key("key").is_locked().unwrap());
    drop(guard);
    eventually("it is released", || !other.key("key").is_locked().unwrap());
}

#[test]
fn waits_outlive_their_space() {
    let locks = locks();
    let other = locks.other_process();
    let guard = other.key("key").lock().unwrap();
    let wait = locks.key("key").lock_async();
    drop(locks);
    let waiter = thread::spawn(|| pollster::block_on(wait).unwrap().check().unwrap());
    eventually("it waits", || other.states().unwrap()[0].waiters == 1);
    drop(guard);
    in_time(move || waiter.join().unwrap());
}

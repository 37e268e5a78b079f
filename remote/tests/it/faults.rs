//! A server that is silent, or restarts: nobody hangs, and nothing is held for nobody.

use crate::{ANSWER_TIMEOUT, LEASE, LONG, locks, wait_for_renewal};
use lockutils::{Error, ErrorKind, LeaseGuard};
use lockutils_conformance::{ByHand, eventually, in_time};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn server_that_is_cut_off_is_unavailable_in_time() {
    in_time(|| {
        for is_connected in [false, true] {
            let locks = locks().answer_timeout(ANSWER_TIMEOUT);
            if is_connected {
                drop(locks.key("key").lock().unwrap());
            }
            locks.server().cut();
            let start = Instant::now();
            let error = locks.key("key").lock().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(start.elapsed() >= ANSWER_TIMEOUT);
            let text = error.to_string();
            assert!(
                text.contains("memory") && text.contains("has not answered for 500ms; see"),
                "{text}"
            );
            let kinds = [
                locks.key("key").try_lock().unwrap_err(),
                pollster::block_on(locks.key("key").lock_async()).unwrap_err(),
                locks.key("key").is_locked().unwrap_err(),
                locks.key("key").holder().unwrap_err(),
                locks.states().unwrap_err(),
            ];
            assert!(
                kinds
                    .iter()
                    .all(|error| error.kind() == ErrorKind::Unavailable)
            );
            locks.server().mend();
            drop(locks.key("key").lock().unwrap());
        }
    });
}

#[test]
fn deadline_of_the_caller_comes_first() {
    let locks = locks();
    locks.server().cut();
    let error = locks
        .key("key")
        .lock_timeout(Duration::from_millis(50))
        .unwrap_err();
    assert_unanswered(&error);
    let wait = locks
        .key("key")
        .lock_timeout_async(Duration::from_millis(50));
    let error = in_time(move || pollster::block_on(wait).unwrap_err());
    assert_unanswered(&error);
    let tried = locks.key("key").try_lock_async();
    let tried = tried.within(Duration::from_millis(50));
    let error = in_time(move || pollster::block_on(tried).unwrap_err());
    assert_unanswered(&error);
    locks.server().mend();
    let tried = locks.key("key").try_lock_async().within(LONG);
    drop(in_time(move || pollster::block_on(tried).unwrap()));
}

/// Who gives up before the server is known to be silent is told that it was no holder that it waited for.
fn assert_unanswered(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    assert!(text.starts_with("timed out after "), "{text}");
    let reason = error.unanswered().expect("the server was silent");
    assert!(reason.starts_with("its server has not said yet"), "{text}");
    assert!(text.ends_with(reason), "{text}");
}

#[test]
fn who_gives_up_behind_a_holder_is_told_of_that() {
    let locks = locks();
    let guard = locks.other_process().key("key").lock().unwrap();
    let mut timeout = Duration::from_millis(50);
    let text = loop {
        let error = locks.key("key").lock_timeout(timeout).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        if error.unanswered().is_none() {
            break error.to_string();
        }
        timeout *= 2;
    };
    assert!(text.contains(": held by "), "{text}");
    drop(guard);
}

#[test]
fn waiter_survives_a_restart_and_a_cut() {
    let locks = locks();
    let other = locks.other_process();
    let guard = locks.key("key").lock().unwrap();
    let waiter = thread::spawn(move || other.key("key").lock().map(drop));
    eventually("it waits", || locks.states().unwrap()[0].waiters == 1);
    locks.server().restart(true);
    eventually("it waits again", || locks.states().unwrap()[0].waiters == 1);
    locks.server().cut();
    let start = Instant::now();
    eventually("it is cut off", || start.elapsed() > ANSWER_TIMEOUT);
    locks.server().mend();
    drop(guard);
    in_time(move || waiter.join().unwrap().unwrap());
}

/// The answer is lost, and nobody knows that the lock was granted.
#[test]
fn lock_that_nobody_knows_of_is_given_back() {
    let locks = locks().answer_timeout(ANSWER_TIMEOUT);
    drop(locks.key("warm").lock().unwrap());
    let other = locks.other_process().answer_timeout(LONG);
    locks.server().delay(Duration::from_millis(200));
    let asked = thread::spawn({
        let locks = locks.clone();
        // Not dropped, so that it is seen in any case.
        move || locks.key("key").lock().map(LeaseGuard::into_async)
    });
    eventually("it was asked", || other.key("key").is_locked().unwrap());
    locks.server().cut();
    let result = in_time(move || asked.join().unwrap());
    match result {
        // It had the answer in time, on a slow machine.
        Ok(guard) => drop(guard),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
    }
    locks.server().mend();
    locks.server().delay(Duration::ZERO);
    in_time(move || drop(other.key("key").lock_timeout(LONG).unwrap()));
}

#[test]
fn release_that_is_not_answered_says_so_and_goes_on() {
    let locks = locks().answer_timeout(ANSWER_TIMEOUT);
    let other = locks.other_process();
    let guard = locks.key("key").lock().unwrap();
    locks.server().cut();
    let guard = guard.into_async();
    let error = in_time(move || pollster::block_on(guard.release_async()).unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    locks.server().mend();
    in_time(move || drop(other.key("key").lock_timeout(LONG).unwrap()));
}

#[test]
fn slow_answers_are_answers() {
    let locks = locks().ttl(LEASE).answer_timeout(ANSWER_TIMEOUT);
    locks.server().delay(ANSWER_TIMEOUT / 4);
    let guard = locks.key("key").lock().unwrap();
    wait_for_renewal(&guard);
    guard.check().unwrap();
    guard.release().unwrap();
}

#[test]
fn cancelled_wait_of_a_cut_server_leaves_nothing() {
    let locks = locks();
    let other = locks.other_process();
    drop(locks.key("key").lock().unwrap());
    locks.server().cut();
    let mut waiter = ByHand::new(locks.key("key").lock_async());
    assert!(waiter.poll().is_pending());
    drop(waiter);
    locks.server().mend();
    in_time(move || drop(other.key("key").lock().unwrap()));
    locks.close(LONG).unwrap();
}

//! Servers that stand still, or die and are started again.

use std::thread;
use std::time::Duration;

use lockutils::ErrorKind;
use lockutils_conformance::eventually;

use crate::faults::subject::{KEY, LEASE, LONG, SILENCE, Subject, kind, wait_for_loss};
use crate::faults::test::Test;

/// Whoever asks a server that says nothing is told so in time, whoever holds has lost by the own
/// clock, and all goes on when the server does.
pub fn stopped_server_has_locks_lost_and_callers_told<S: Subject>(test: &Test<S>) {
    let locks = test.locks(LEASE).answer_timeout(SILENCE);
    let guard = locks.key(KEY).lock().unwrap();
    test.server.stop();
    let waiter = thread::spawn({
        let locks = locks.clone();
        move || locks.key("other").lock().map(drop).unwrap_err()
    });
    let late = locks.key("third").lock_timeout(Duration::from_millis(300));
    let kinds = [ErrorKind::Timeout, ErrorKind::Unavailable];
    assert!(kinds.contains(&kind(late)));
    wait_for_loss(&guard);
    let error = waiter.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let name = format!("127.0.0.1:{}", test.server.port());
    assert!(error.to_string().contains(&name), "{error}");
    assert_eq!(kind(locks.states()), ErrorKind::Unavailable);
    assert_eq!(kind(locks.key(KEY).holder()), ErrorKind::Unavailable);
    let fence = guard.fence();
    assert_eq!(kind(guard.release()), ErrorKind::Lost);
    test.server.go_on();
    let mut again = None;
    eventually("it answers", || {
        again = locks.key(KEY).lock().ok();
        again.is_some()
    });
    let again = again.unwrap();
    assert!(again.fence() > fence);
    again.release().unwrap();
    test.nothing_is_left();
}

/// Who waits has the lock also when the server was killed meanwhile. Who holds it goes on, where holds
/// outlive their connection, or is told of the loss.
pub fn waiter_outlives_a_restart<S: Subject>(test: &Test<S>) {
    let locks = test.locks(LONG);
    let guard = locks.key(KEY).lock().unwrap();
    let fence = guard.fence().get();
    let mut waiter = test.other(LONG);
    waiter.asks(KEY);
    test.server.restart();
    if S::OUTLIVES_CONNECTION {
        guard.check().unwrap();
        guard.release().unwrap();
    } else {
        wait_for_loss(&guard);
        drop(guard);
    }
    let next = waiter.has();
    assert!(next > fence, "{next} after {fence}");
    assert_eq!(waiter.release(), "released");
    test.nothing_is_left();
}

/// Who holds a lock of which the server knows nothing any more is told so, by the next renewal at the
/// latest, and others have it.
pub fn hold_is_lost_with_the_data<S: Subject>(test: &Test<S>) {
    let locks = test.locks(LEASE);
    let guard = locks.key(KEY).lock().unwrap();
    test.server.restart_empty();
    wait_for_loss(&guard);
    assert_eq!(kind(guard.release()), ErrorKind::Lost);
    locks.key(KEY).lock().unwrap().release().unwrap();
    test.nothing_is_left();
}

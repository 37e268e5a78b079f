//! Holders and waiters that die, or stand still.

use lockutils::ErrorKind;

use crate::faults::record::now;
use crate::faults::subject::{KEY, LEASE, LONG, Subject, kind};
use crate::faults::test::Test;

/// Whoever waits has the lock of a process that was killed: at once if the server sees that its
/// connection has ended, else after the lease.
pub fn killed_holder_frees_the_lock<S: Subject>(test: &Test<S>) {
    let lease = if S::OUTLIVES_CONNECTION { LEASE } else { LONG };
    let (mut holder, mut waiter) = (test.other(lease), test.other(LONG));
    let fence = holder.holds(KEY);
    waiter.asks(KEY);
    holder.kill();
    let next = waiter.has();
    assert!(next > fence, "{next} after {fence}");
    assert_eq!(waiter.release(), "released");
}

/// A process that stands still beyond its lease is no holder any more, and doesn't believe to be
/// one when it goes on. Its release is no other's.
pub fn stopped_holder_loses_the_lock_and_knows_when_it_wakes_up<S: Subject>(test: &Test<S>) {
    let locks = test.locks(LONG);
    let mut holder = test.other(LEASE);
    let fence = holder.holds(KEY);
    assert_eq!(holder.state(), "valid");
    let end = holder.end();
    holder.stop();
    let guard = locks.key(KEY).lock().unwrap();
    assert!(now() >= end, "not while it may have believed to hold it");
    assert!(guard.fence().get() > fence);
    holder.go_on();
    assert_eq!(holder.state(), "lost");
    assert_eq!(holder.release(), "lost");
    guard.check().unwrap();
    guard.release().unwrap();
    holder.holds(KEY);
    assert_eq!(holder.release(), "released");
}

/// A process that stands still or dies while it waits keeps the lock from others for a lease at most,
/// and asks again when it goes on.
pub fn stopped_or_killed_waiter_is_in_nobodys_way<S: Subject>(test: &Test<S>) {
    let locks = test.locks(LONG);
    let [mut stopped, mut killed] = [(); 2].map(|()| test.other(LEASE));
    let guard = locks.key(KEY).lock().unwrap();
    stopped.asks(KEY);
    killed.asks(KEY);
    stopped.stop();
    killed.kill();
    guard.release().unwrap();
    let guard = locks.key(KEY).lock().unwrap();
    stopped.go_on();
    guard.release().unwrap();
    stopped.has();
    assert_eq!(stopped.release(), "released");
    test.nothing_is_left();
}

/// Each has the lock that the one before releases, with a greater fence.
pub fn lock_goes_from_process_to_process<S: Subject>(test: &Test<S>) {
    let mut processes = [(); 3].map(|()| test.other(LONG));
    let mut last = 0;
    processes[0].asks(KEY);
    for turn in 0..30 {
        let [this, next] = [turn % 3, (turn + 1) % 3];
        let fence = processes[this].has();
        assert!(fence > last, "{fence} after {last}");
        last = fence;
        processes[next].asks(KEY);
        assert_eq!(processes[this].release(), "released");
    }
}

/// The child of a fork neither has its parent's lock nor takes it away, and is told that its parent's space
/// is none of its own.
pub fn child_of_a_fork_has_nothing_of_its_parent<S: Subject>(test: &Test<S>) {
    let locks = test.locks(LONG);
    let mut holder = test.other(LEASE);
    holder.holds(KEY);
    holder.forks();
    // Its parent goes on renewing.
    let waited = locks.key(KEY).lock_timeout(LEASE * 3 / 2);
    assert_eq!(kind(waited), ErrorKind::Timeout);
    assert_eq!(holder.state(), "valid");
    assert_eq!(holder.release(), "released");
    test.nothing_is_left();
}

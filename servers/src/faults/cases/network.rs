//! A network that breaks, or passes nothing.

use std::slice;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lockutils::{AsyncLeaseGuard, Error, ErrorKind, LeaseGuard};
use lockutils_conformance::eventually;
use lockutils_remote::{FromUrl, Remote};

use crate::faults::subject::{KEY, LONG, SILENCE, Subject, at, kind, wait_for_loss};
use crate::faults::test::Test;
use crate::proxy::Proxy;

/// A lease that is renewed while a test runs, and long enough for a machine that is busy.
const RENEWED: Duration = Duration::from_secs(15);

/// Waits until each of them is valid for longer than it is now.
fn wait_for_renewal(guards: &[LeaseGuard]) {
    let end = |guard: &LeaseGuard| Instant::now() + guard.valid_for();
    let ends: Vec<_> = guards.iter().map(end).collect();
    for (guard, before) in guards.iter().zip(ends) {
        eventually("it is renewed", || end(guard) > before + RENEWED / 10);
        guard.check().unwrap();
    }
}

/// Asks on another thread.
fn ask<S: FromUrl>(locks: &Remote<S>) -> JoinHandle<AsyncLeaseGuard> {
    let asking = locks.key(KEY).lock_async();
    thread::spawn(move || pollster::block_on(asking).unwrap())
}

/// Releases on another thread.
fn release(guard: AsyncLeaseGuard) -> JoinHandle<Result<(), Error>> {
    thread::spawn(move || pollster::block_on(guard.release_async()))
}

/// Waits until what was sent last is on its way, and cuts it off.
fn cut_off(proxy: &Proxy) {
    eventually("it is sent", || proxy.holds_back());
    proxy.cut();
    proxy.mend();
}

/// Waits until an answer is lost, and the connection with it.
fn answer_is_lost(proxy: &Proxy) {
    eventually("it is answered", || proxy.is_cut());
    proxy.mend();
}

/// The connection breaks before the question arrives.
pub fn question_that_is_cut_off_is_asked_again<S: Subject>(test: &Test<S>) {
    let (proxy, locks) = test.through_proxy(LONG);
    proxy.stall();
    let asker = ask(&locks);
    cut_off(&proxy);
    release(asker.join().unwrap()).join().unwrap().unwrap();
    test.nothing_is_left();
}

/// The connection breaks when the lock was granted, but before that is known.
pub fn grant_that_is_cut_off_is_had_all_the_same<S: Subject>(test: &Test<S>) {
    let (proxy, locks) = test.through_proxy(LONG);
    proxy.drop_answers(1);
    let asker = ask(&locks);
    answer_is_lost(&proxy);
    let guard = asker.join().unwrap();
    guard.check().unwrap();
    let other = test.locks(LONG);
    assert_eq!(kind(other.key(KEY).try_lock()), ErrorKind::Busy);
    release(guard).join().unwrap().unwrap();
    test.nothing_is_left();
}

/// The connection breaks before the release arrives.
pub fn release_that_is_cut_off_is_made_all_the_same<S: Subject>(test: &Test<S>) {
    let (proxy, locks) = test.through_proxy(LONG);
    let guard = ask(&locks).join().unwrap();
    proxy.stall();
    let releaser = release(guard);
    cut_off(&proxy);
    let result = releaser.join().unwrap();
    assert!(result.is_ok() || !S::OUTLIVES_CONNECTION, "{result:?}");
    test.nothing_is_left();
}

/// The connection breaks when the lock was released, but before that is known.
pub fn release_whose_answer_is_cut_off_is_over<S: Subject>(test: &Test<S>) {
    let (proxy, locks) = test.through_proxy(LONG);
    let guard = ask(&locks).join().unwrap();
    proxy.drop_answers(1);
    let releaser = release(guard);
    answer_is_lost(&proxy);
    // Nobody can know any more whether it was lost before.
    let result = releaser.join().unwrap();
    let kind = result.err().map(|error| error.kind());
    assert!(kind.is_none_or(|kind| kind == ErrorKind::Lost), "{kind:?}");
    test.nothing_is_left();
    // The queue in the process goes on too.
    locks.key(KEY).lock().unwrap().release().unwrap();
}

/// The connection breaks while the lock is held.
pub fn hold_outlives_its_connection_or_is_lost_with_it<S: Subject>(test: &Test<S>) {
    let (proxy, locks) = test.through_proxy(RENEWED);
    let guard = locks.key(KEY).lock().unwrap();
    proxy.cut();
    if S::OUTLIVES_CONNECTION {
        proxy.mend();
        // By another connection.
        wait_for_renewal(slice::from_ref(&guard));
        guard.release().unwrap();
    } else {
        wait_for_loss(&guard);
        drop(guard);
        test.nothing_is_left();
        proxy.mend();
    }
    locks.key(KEY).lock().unwrap().release().unwrap();
    test.nothing_is_left();
}

/// The connection breaks while somebody waits.
pub fn waiter_outlives_its_connection<S: Subject>(test: &Test<S>) {
    let guard = test.locks(LONG).key(KEY).lock().unwrap();
    let mut waiter = test.other(LONG);
    waiter.asks(KEY);
    waiter.proxy.cut();
    waiter.proxy.mend();
    guard.release().unwrap();
    waiter.has();
    assert_eq!(waiter.release(), "released");
    test.nothing_is_left();
}

/// The server says nothing, be it that it hears nothing. Whoever asks is told so in time, and
/// whatever it did is undone.
pub fn silent_server_is_an_error_and_what_it_did_is_undone<S: Subject>(test: &Test<S>) {
    for stall in [Proxy::stall, Proxy::stall_answers] {
        let proxy = Proxy::to(test.server.port());
        let locks = at::<S>(proxy.port(), LONG).answer_timeout(SILENCE);
        locks.key("warm").lock().unwrap().release().unwrap();
        stall(&proxy);
        let begun = Instant::now();
        let error = locks.key(KEY).lock().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        let waited = begun.elapsed();
        assert!(waited < LONG, "{waited:?}");
        assert!(error.to_string().contains("127.0.0.1"), "{error}");
        proxy.flow();
        test.nothing_is_left();
        locks.key(KEY).lock().unwrap().release().unwrap();
    }
    test.nothing_is_left();
}

/// Those that wait in the process for a lock that it holds don't ask the server: each asks once, when it
/// is its turn, as if nobody else had waited.
pub fn a_hundred_waiters_of_a_process_ask_one_at_a_time<S: Subject>(test: &Test<S>) {
    let locks = test.locks(LONG);
    let guard = locks.key(KEY).lock().unwrap();
    let begun = asked_for_locks(&locks);
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| locks.key(KEY).lock().unwrap().release().unwrap());
        }
        let name = locks.name();
        eventually("all of them wait", || {
            let snapshot = lockutils::snapshot();
            let ours = snapshot.iter().filter(|lock| lock.space == name);
            ours.map(|lock| lock.waiters).sum::<usize>() == 100
        });
        guard.release().unwrap();
    });
    let asked = asked_for_locks(&locks) - begun;
    assert!((asked - 100.0).abs() < 0.1, "{asked}");
}

/// How often the server has answered who asked for a lock.
fn asked_for_locks<S: FromUrl>(locks: &Remote<S>) -> f64 {
    let stats = lockutils::stats();
    let of_space = stats.samples().filter(|sample| {
        let labels = [("space", locks.name()), ("question", "acquire")];
        let is = |(name, value)| {
            sample
                .labels()
                .iter()
                .any(|(n, v)| *n == name && v == value)
        };
        sample.name() == "lockutils_round_trip_duration_seconds_count" && labels.into_iter().all(is)
    });
    of_space.map(lockutils::Sample::value).sum()
}

/// They are renewed, and released.
pub fn two_thousand_keys_are_held_by_one_connection<S: Subject>(test: &Test<S>) {
    let (proxy, locks) = test.through_proxy(RENEWED);
    let keys = 0..2_000;
    let guards: Vec<_> = keys.map(|key| locks.key(key).lock().unwrap()).collect();
    wait_for_renewal(&guards);
    assert_eq!(locks.states().unwrap().len(), 2_000);
    assert_eq!(proxy.connections(), 1);
    drop(guards);
    locks.close(LONG).unwrap();
    test.nothing_is_left();
}

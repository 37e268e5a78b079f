//! How a lock is lost, and known to be in time.

use crate::{ANSWER_TIMEOUT, LEASE, LONG, locks, wait_for_renewal};
use lockutils::{AsyncLeaseGuard, Error, ErrorKind, LeaseGuard, synchronized};
use lockutils_conformance::{ByHand, eventually, in_time};
use lockutils_remote::FakeLocks;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

fn assert_lost(result: Result<(), Error>) {
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Lost);
}

fn wait_for_loss(guard: &LeaseGuard) {
    let lost = guard.lost();
    in_time(move || pollster::block_on(lost));
}

#[test]
fn lock_that_the_server_ends_is_lost_at_once() {
    let locks = locks().prefix("a");
    let guard = locks.key("key").lock().unwrap();
    let mut lost = ByHand::new(guard.lost());
    assert!(lost.poll().is_pending() && !guard.is_lost());
    locks.server().lose("key");
    in_time(move || lost.finish());
    assert!(guard.is_lost());
    assert_eq!(guard.valid_for(), Duration::ZERO);
    assert_lost(guard.check());
    let fence = guard.fence();
    assert_lost(guard.release());
    let guard = locks.key("key").lock().unwrap();
    assert!(guard.fence() > fence);
    assert!(!guard.is_lost());
}

/// Who has it by then has a smaller fence than the second lock's would be.
#[test]
fn lock_that_is_lost_while_a_second_is_waited_for_is_the_error_of_both() {
    let locks = locks().prefix("both");
    let other = locks.other_process();
    let second = other.key("b").lock().unwrap();
    // Of the same hold, so that the loss is seen.
    let first = locks.key("a").shared().lock().unwrap();
    let waits = locks.clone();
    let both = thread::spawn(move || {
        let both = waits.keys(["a", "b"]).shared().lock();
        both.map(drop).unwrap_err()
    });
    let waits = || locks.states().unwrap().iter().any(|lock| lock.waiters > 0);
    eventually("both are asked for", waits);
    locks.server().lose("a");
    wait_for_loss(&first);
    second.release().unwrap();
    let error = in_time(move || both.join().unwrap());
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.to_string().contains("both/a\" was lost"), "{error}");
    // And nothing stays held.
    drop(other.key("b").lock_timeout(LONG).unwrap());
}

#[test]
fn lock_is_renewed_for_as_long_as_it_is_held() {
    let locks = locks().ttl(LEASE);
    let other = locks.other_process();
    let guard = locks.key("key").lock().unwrap();
    // More often than a lease has thirds.
    for _ in 0..4 {
        wait_for_renewal(&guard);
        assert!(!guard.is_lost());
        assert!(guard.valid_for() <= LEASE);
        let busy = other.key("key").try_lock().unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::Busy);
    }
    guard.release().unwrap();
}

/// The holder knows of the loss before another one has the lock.
#[test]
fn holder_that_is_cut_off_has_lost_before_another_has_the_lock() {
    let locks = locks().ttl(LEASE);
    let other = locks.other_process();
    let guard = locks.key("key").lock().unwrap();
    let waiter = thread::spawn(move || {
        let guard = other.key("key").lock_timeout(LONG).unwrap();
        (Instant::now(), guard.fence())
    });
    eventually("it waits", || locks.states().unwrap()[0].waiters == 1);
    locks.server().cut();
    eventually("it is lost", || guard.is_lost());
    let lost = Instant::now();
    wait_for_loss(&guard);
    locks.server().mend();
    let (had, fence) = in_time(move || waiter.join().unwrap());
    assert!(had > lost);
    assert!(fence > guard.fence());
    assert_lost(guard.release());
}

#[test]
fn lock_survives_a_cut_that_is_shorter_than_its_lease() {
    let lease = 2 * LEASE;
    let locks = locks().ttl(lease).answer_timeout(ANSWER_TIMEOUT);
    let guard = locks.key("key").lock().unwrap();
    locks.server().cut();
    let start = Instant::now();
    eventually("a renewal fails", || {
        start.elapsed() > lease / 3 + ANSWER_TIMEOUT
    });
    locks.server().mend();
    wait_for_renewal(&guard);
    guard.check().unwrap();
    guard.release().unwrap();
}

#[test]
fn restart_with_its_data_loses_nothing_and_without_them_all() {
    let locks = locks().prefix("b");
    let guard = locks.key("key").lock().unwrap();
    locks.server().restart(true);
    assert!(locks.other_process().key("key").is_locked().unwrap());
    assert!(!guard.is_lost());
    locks.server().restart(false);
    wait_for_loss(&guard);
    let other = locks
        .other_process()
        .key("key")
        .lock()
        .unwrap()
        .into_async();
    assert!(other.fence() > guard.fence());
    assert_lost(guard.release());
    assert!(!other.is_lost());
}

#[test]
fn loss_is_told_to_tasks_of_any_executor() {
    let locks = locks();
    let guard: AsyncLeaseGuard = pollster::block_on(locks.key("key").lock_async()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    locks.server().lose("key");
    runtime.block_on(async move {
        guard.lost().await;
        assert_lost(guard.release_async().await);
    });
}

#[synchronized("job", locks = locks, cancel_on_loss)]
async fn job(locks: &FakeLocks, started: &AtomicBool) -> Result<(), Error> {
    started.store(true, Ordering::SeqCst);
    std::future::pending().await
}

/// Nothing but the loss ends it.
#[test]
fn body_is_dropped_when_its_lock_is_lost() {
    for server_says_so in [true, false] {
        // The job begins within it, on a busy machine.
        let locks = locks().ttl(LEASE);
        let started = Arc::new(AtomicBool::new(false));
        let body = thread::spawn({
            let (locks, started) = (locks.clone(), Arc::clone(&started));
            move || pollster::block_on(job(&locks, &started))
        });
        eventually("it runs", || started.load(Ordering::SeqCst));
        if server_says_so {
            locks.server().lose("job");
        } else {
            locks.server().cut();
        }
        assert_lost(in_time(move || body.join().unwrap()));
        locks.server().mend();
    }
}

#[test]
fn release_before_the_loss_is_none() {
    let locks = locks();
    let guard = locks.key("key").lock().unwrap();
    let mut lost = ByHand::new(guard.lost());
    assert!(lost.poll().is_pending());
    guard.release().unwrap();
    locks.server().restart(false);
    drop(locks.key("key").lock().unwrap());
    assert!(lost.poll().is_pending());
}

//! `acquire_timeout = ..`: waiting for so long and no longer.

use lockutils::{Error, ErrorKind, Locks, synchronized};
use lockutils_tests::{ByHand, in_time};
use pollster::block_on;
use std::thread;
use std::time::{Duration, Instant};

static LOCKS: Locks = Locks::new("attribute acquire_timeout");

#[synchronized(key = key, locks = LOCKS, acquire_timeout = "5ms")]
fn literal(key: &str) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = key, locks = LOCKS, acquire_timeout = timeout)]
fn value(key: &str, timeout: Duration) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = key, locks = LOCKS, acquire_timeout = "5ms")]
async fn literal_async(key: &str) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = key, locks = LOCKS, acquire_timeout = timeout)]
async fn value_async(key: &str, timeout: Duration) -> Result<(), Error> {
    Ok(())
}

#[test]
fn busy_lock_is_waited_for_until_the_time_is_over() {
    in_time(|| {
        let _guard = block_on(LOCKS.key("busy").lock_async());
        for run in [
            (|| literal("busy")) as fn() -> Result<(), Error>,
            || value("busy", Duration::from_millis(5)),
            || block_on(literal_async("busy")),
            || block_on(value_async("busy", Duration::from_millis(5))),
        ] {
            let start = Instant::now();
            let error = run().unwrap_err();
            assert!(start.elapsed() >= Duration::from_millis(5));
            assert_eq!(error.kind(), ErrorKind::Timeout);
            assert_eq!(error.key(), Some("busy"));
            assert!(error.waited() >= Duration::from_millis(5));
        }
    });
}

#[test]
fn lock_that_comes_in_time_is_had() {
    in_time(|| {
        let guard = LOCKS.key("in time").lock();
        let mut task = ByHand::new(value_async("in time", Duration::MAX));
        assert!(task.poll().is_pending());
        thread::scope(|scope| {
            let thread = scope.spawn(|| value("in time", Duration::from_hours(1)));
            drop(guard);
            assert!(task.finish().is_ok());
            assert!(thread.join().unwrap().is_ok());
        });
        assert!(!LOCKS.key("in time").is_locked());
    });
}

#[test]
fn zero_is_one_try() {
    let _guard = LOCKS.key("zero").lock();
    assert_eq!(
        block_on(value_async("zero", Duration::ZERO))
            .unwrap_err()
            .kind(),
        ErrorKind::Timeout
    );
    assert!(value("zero, of another", Duration::ZERO).is_ok());
}

#[test]
fn keys_have_one_deadline() {
    #[synchronized(keys = ["one", "two"], locks = LOCKS, acquire_timeout = "5ms")]
    fn both() -> Result<(), Error> {
        Ok(())
    }
    let _guard = block_on(LOCKS.key("two").lock_async());
    assert_eq!(both().unwrap_err().key(), Some("two"));
    assert!(!LOCKS.key("one").is_locked());
}

#[test]
fn own_lock_of_the_thread_is_a_deadlock_and_not_a_wait() {
    let _guard = LOCKS.key("mine").lock();
    let error = value("mine", Duration::MAX).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock);
}

#[test]
fn timeout_is_evaluated_before_the_key_and_once() {
    #[synchronized(key = log("key"), locks = &LOCKS, acquire_timeout = timeout(log))]
    fn run(log: &mut dyn FnMut(&'static str) -> &'static str) -> Result<(), Error> {
        Ok(())
    }
    fn timeout(log: &mut dyn FnMut(&'static str) -> &'static str) -> Duration {
        log("timeout");
        Duration::from_secs(1)
    }
    let mut order = Vec::new();
    run(&mut |what| {
        order.push(what);
        what
    })
    .unwrap();
    assert_eq!(order, ["timeout", "key"]);
}

#[test]
fn question_mark_and_await_may_stand_in_the_timeout() {
    #[synchronized("question mark", acquire_timeout = Duration::from_millis(text.parse()?))]
    fn parsed(text: &str) -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
    #[synchronized("await", acquire_timeout = std::future::ready(timeout).await)]
    async fn awaited(timeout: Duration) -> Result<(), Error> {
        Ok(())
    }
    assert!(parsed("1").is_ok());
    assert!(parsed("one").is_err());
    assert!(block_on(awaited(Duration::from_secs(1))).is_ok());
}

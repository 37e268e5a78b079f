//! What is dropped under the lock and what after it.
//!
//! The body's locals and temporaries drop first, then the guard, then the arguments.
//! Editions differ in when the temporaries of a body's last expression drop, so this
//! file is part of a test crate of each: [`TEMPORARIES_FIRST`] says which it is.

use crate::TEMPORARIES_FIRST;
use lockutils::{is_locked, synchronized};
use lockutils_tests::{in_time, yield_now};
use pollster::block_on;
use std::sync::{Arc, Mutex};

/// What was dropped, in order, and whether the lock was held then.
#[derive(Clone)]
struct Log {
    key: &'static str,
    drops: Arc<Mutex<Vec<(&'static str, bool)>>>,
}

/// A value that tells of its drop.
struct Told {
    name: &'static str,
    log: Log,
}

impl Log {
    fn new(key: &'static str) -> Self {
        let drops = Arc::default();
        Self { key, drops }
    }

    fn value(&self, name: &'static str) -> Told {
        let log = self.clone();
        Told { name, log }
    }

    fn drops(&self) -> Vec<(&'static str, bool)> {
        self.drops.lock().unwrap().clone()
    }
}

impl Told {
    fn get(&self) -> &'static str {
        self.name
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let held = is_locked(self.log.key);
        self.log.drops.lock().unwrap().push((self.name, held));
    }
}

/// Locals and temporaries of the body, as the edition has them, all under the lock.
fn body_then(arguments: &[(&'static str, bool)]) -> Vec<(&'static str, bool)> {
    let mut drops = vec![("local", true), ("temporary", true)];
    if TEMPORARIES_FIRST {
        drops.reverse();
    }
    drops.extend(arguments);
    drops
}

#[test]
fn arguments_drop_after_the_lock_is_free() {
    #[synchronized(key = log.key)]
    fn run(log: &Log, _named: Told, _: Told) -> &'static str {
        let _local = log.value("local");
        log.value("temporary").get()
    }
    in_time(|| {
        let log = Log::new("drop_order::sync");
        let value = run(&log, log.value("named"), log.value("unnamed"));
        assert_eq!(value, "temporary");
        assert_eq!(
            log.drops(),
            body_then(&[("unnamed", false), ("named", false)])
        );
    });
}

#[test]
fn arguments_of_an_async_function_drop_after_the_lock_is_free() {
    #[synchronized(key = log.key)]
    async fn run(log: &Log, _named: Told, _: Told) -> &'static str {
        let _local = log.value("local");
        yield_now().await;
        log.value("temporary").get()
    }
    in_time(|| {
        let log = Log::new("drop_order::async");
        let call = run(&log, log.value("named"), log.value("unnamed"));
        assert_eq!(block_on(call), "temporary");
        assert_eq!(
            log.drops(),
            body_then(&[("unnamed", false), ("named", false)])
        );
    });
}

/// The remedy for an argument that must drop under the lock.
#[test]
fn argument_moved_into_the_body_drops_under_the_lock() {
    #[synchronized(key = log.key)]
    fn run(log: &Log, argument: Told) {
        let _argument = argument;
        let _ = log;
    }
    #[synchronized(key = log.key)]
    async fn run_async(log: &Log, argument: Told) {
        let _argument = argument;
        let _ = log;
        yield_now().await;
    }
    in_time(|| {
        let log = Log::new("drop_order::moved");
        run(&log, log.value("sync"));
        block_on(run_async(&log, log.value("async")));
        assert_eq!(log.drops(), [("sync", true), ("async", true)]);
    });
}

#[test]
fn temporaries_of_the_last_expression_drop_under_the_lock() {
    #[synchronized(key = log.key)]
    fn matched(log: &Log) -> &'static str {
        match log.value("scrutinee").get() {
            "scrutinee" => log.value("arm").get(),
            other => other,
        }
    }
    #[synchronized(key = log.key)]
    fn returned(log: &Log, early: bool) -> &'static str {
        if early {
            return log.value("returned").get();
        }
        "not returned"
    }
    #[synchronized(key = log.key)]
    async fn awaited(log: &Log) -> &'static str {
        async { log.value("awaited").get() }.await
    }
    in_time(|| {
        let log = Log::new("drop_order::tail");
        assert_eq!(matched(&log), "arm");
        assert_eq!(returned(&log, true), "returned");
        assert_eq!(block_on(awaited(&log)), "awaited");
        let drops = log.drops();
        assert_eq!(drops.len(), 4);
        assert!(drops.iter().all(|(_, held)| *held), "{drops:?}");
    });
}

/// What the key's expression makes is gone before the wait.
#[test]
fn temporaries_of_the_key_drop_before_the_lock_is_taken() {
    #[synchronized(key = { let _ = log.value("key").get(); log.key })]
    fn run(log: &Log) {
        drop(log.value("body"));
    }
    in_time(|| {
        let log = Log::new("drop_order::key");
        run(&log);
        assert_eq!(log.drops(), [("key", false), ("body", true)]);
    });
}

#[test]
fn unwinding_drops_in_the_same_order() {
    #[synchronized(key = log.key)]
    fn run(log: &Log, _argument: Told) {
        let _local = log.value("local");
        panic!("inside");
    }
    in_time(|| {
        let log = Log::new("drop_order::panic");
        let unwinding = std::panic::AssertUnwindSafe(|| run(&log, log.value("argument")));
        assert!(std::panic::catch_unwind(unwinding).is_err());
        assert_eq!(log.drops(), [("local", true), ("argument", false)]);
    });
}

#[test]
fn dropped_future_drops_in_the_same_order() {
    #[synchronized(key = log.key)]
    async fn run(log: &Log, _argument: Told) {
        let _local = log.value("local");
        std::future::pending::<()>().await;
    }
    in_time(|| {
        let log = Log::new("drop_order::cancelled");
        let mut call = lockutils_tests::ByHand::new(run(&log, log.value("argument")));
        assert!(call.poll().is_pending());
        assert!(log.drops().is_empty());
        drop(call);
        assert_eq!(log.drops(), [("local", true), ("argument", false)]);
    });
}

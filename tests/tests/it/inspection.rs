//! What one can see of the locks, and the texts it comes in.

use lockutils::{LockState, Locks, assert_locked};
use lockutils_tests::{ByHand, eventually, in_time};
use std::panic;
use std::sync::Barrier;
use std::thread;

/// The locks of a space whose name no other has.
fn states(space: &str) -> Vec<LockState> {
    let mut states = lockutils::snapshot();
    states.retain(|lock| lock.space == space);
    states.sort_by(|a, b| a.key.cmp(&b.key));
    states
}

fn in_thread<R: Send>(name: &str, body: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn_scoped(scope, body).unwrap().join().unwrap()
    })
}

#[test]
fn error_names_the_lock_and_its_holder() {
    in_time(|| {
        let locks = Locks::new("cells");
        in_thread("worker-3", || {
            let _guard = locks.key("2f1c").lock();
            let line = line!() - 1;
            let error = locks.key("2f1c").try_lock().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "lock \"cells/2f1c\" is busy: held by {}:{line} in thread \"worker-3\"",
                    file!()
                )
            );
            assert_eq!(error.space(), Some("cells"));
            assert_eq!(error.key(), Some("2f1c"));
            let site = error.holder().unwrap().site().unwrap();
            assert_eq!(site.location().line(), line);
            assert_eq!(site.function(), None);
        });
    });
}

#[test]
fn error_says_that_a_task_holds() {
    in_time(|| {
        let locks = Locks::new("cells");
        let (guard, line) = (pollster::block_on(locks.key("2f1c").lock_async()), line!());
        assert_eq!(
            locks.key("2f1c").try_lock().unwrap_err().to_string(),
            format!(
                "lock \"cells/2f1c\" is busy: held by {}:{line} in an async task",
                file!()
            )
        );
        drop(guard);
    });
}

#[test]
fn error_of_the_empty_key_names_the_space() {
    in_time(|| {
        let locks = Locks::new("cells");
        let _guard = locks.key("").lock();
        let error = locks.key("").try_lock().unwrap_err();
        assert!(error.to_string().starts_with("lock \"cells\" is busy: "));
    });
}

#[test]
fn error_is_an_error_that_can_be_sent() {
    in_time(|| {
        let locks = Locks::new("cells");
        let _guard = locks.key("2f1c").lock();
        let error: Box<dyn std::error::Error + Send + Sync> =
            locks.key("2f1c").try_lock().unwrap_err().into();
        assert!(error.source().is_none());
        assert!(format!("{error:?}").contains("is busy"));
    });
}

#[test]
fn snapshot_shows_holders_and_counts_waiters() {
    in_time(|| {
        let locks = Locks::new("snapshot");
        let release = Barrier::new(2);
        thread::scope(|scope| {
            let holder = thread::Builder::new().name("holder".to_owned());
            let body = || {
                let _guard = locks.key("a").lock();
                release.wait();
            };
            holder.spawn_scoped(scope, body).unwrap();
            eventually("the lock is held", || states("snapshot").len() == 1);
            scope.spawn(|| drop(locks.key("a").lock()));
            let mut task = ByHand::new(locks.key("a").lock_async());
            assert!(task.poll().is_pending());
            let _other = pollster::block_on(locks.key("b").lock_async());
            eventually("both wait", || states("snapshot")[0].waiters == 2);

            let [a, b] = &states("snapshot")[..] else {
                panic!("two locks are held");
            };
            assert_eq!((a.key.as_str(), b.key.as_str(), b.waiters), ("a", "b", 0));
            let holder = |lock: &LockState| lock.holders[0].to_string();
            assert!(holder(a).starts_with(file!()), "{}", holder(a));
            assert!(
                holder(a).ends_with(" in thread \"holder\""),
                "{}",
                holder(a)
            );
            assert!(holder(b).ends_with(" in an async task"), "{}", holder(b));
            drop(task);
            release.wait();
        });
        assert!(states("snapshot").is_empty());
    });
}

#[test]
fn snapshot_shows_the_waiter_as_holder_once_it_has_the_lock() {
    in_time(|| {
        let locks = Locks::new("next holder");
        let guard = locks.key("key").lock();
        let mut task = ByHand::new(locks.key("key").lock_async());
        assert!(task.poll().is_pending());
        drop(guard);
        let taken = task.poll();
        assert!(taken.is_ready());
        let [lock] = &states("next holder")[..] else {
            panic!("one lock is held");
        };
        let holder = lock.holders[0].to_string();
        assert!(holder.ends_with(" in an async task"), "{holder}");
        assert_eq!(lock.waiters, 0);
    });
}

#[test]
fn asserting_a_held_lock_passes() {
    in_time(|| {
        let locks = Locks::new("asserted");
        let uuid = String::from("2f1c");
        let _guard = locks.key(&uuid).lock();
        assert_locked!(locks, uuid);
        assert_locked!(locks, &uuid); // Taken by reference either way.
        let _guard = lockutils::lock("asserting_a_held_lock_passes");
        assert_locked!("asserting_a_held_lock_passes");
    });
}

#[test]
fn asserting_a_free_lock_panics_with_its_name() {
    in_time(|| {
        let locks = Locks::new("cells");
        let text = |body: &(dyn Fn() + panic::RefUnwindSafe)| {
            let panic = panic::catch_unwind(body).unwrap_err();
            *panic.downcast::<String>().unwrap()
        };
        assert_eq!(
            text(&|| assert_locked!(locks, "2f1c")),
            "lock \"cells/2f1c\" is not held; its holder must call this"
        );
        assert_eq!(
            text(&|| assert_locked!("asserting_a_free_lock")),
            "lock \"global/asserting_a_free_lock\" is not held; its holder must call this"
        );
    });
}

#[test]
fn debug_texts_can_be_had_while_locks_are_held() {
    in_time(|| {
        let locks = Locks::new("debugged");
        let guard = locks.key("2f1c").lock();
        let mut waiter = ByHand::new(locks.key("2f1c").lock_async());
        assert!(waiter.poll().is_pending());
        let text = format!("{locks:?} {guard:?} {:?}", locks.key("2f1c"));
        assert!(text.contains("debugged"), "{text}");
        assert!(text.contains("2f1c"), "{text}");
    });
}

//! What one can see of the locks, and the texts it comes in.

use lockutils::{Holder, LockState, Locks, Waiter, assert_locked};
use lockutils_tests::{ByHand, eventually, in_time};
use std::panic;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

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

#[test]
fn queue_is_shown_in_order_and_only_its_beginning() {
    in_time(|| {
        let locks = Locks::new("queue");
        let _guard = locks.key("key").lock();
        let wait = |shared: bool| {
            let key = locks.key("key");
            let key = if shared { key.shared() } else { key };
            let mut waiter = ByHand::new(key.lock_async());
            assert!(waiter.poll().is_pending());
            waiter
        };
        let waiters: Vec<_> = (0..150).map(|number| wait(number % 3 == 1)).collect();
        let [lock] = &states("queue")[..] else {
            panic!("one lock is held");
        };
        assert_eq!((lock.waiters, lock.queue.len()), (waiters.len(), 100));
        let shared = lock.queue.iter().map(Waiter::shared);
        assert!(shared.eq((0..100).map(|number| number % 3 == 1)));
        let waited = lock.queue.iter().map(Waiter::waited);
        assert!(waited.is_sorted_by(|earlier, later| earlier >= later));
        assert_eq!(lock.longest_wait, Some(lock.queue[0].waited()));
        assert!(lock.queue.iter().all(|waiter| {
            let who = waiter.who();
            who.held_for().is_none() && who.not_polled_for().is_none()
        }));
    });
}

/// The first that there is, of many tries.
fn first_of<R>(mut attempt: impl FnMut() -> Option<R>) -> R {
    let mut found = None;
    eventually("there is one", || {
        found = attempt();
        found.is_some()
    });
    found.expect("there is one")
}

#[test]
fn hold_is_timed_from_the_first_waiter_or_look_on() {
    in_time(|| {
        let locks = Locks::new("timed holds").permits(3);
        let held_for = |key: &str| {
            let states = states("timed holds");
            let lock = states.iter().find(|lock| lock.key.as_str() == key)?;
            let holders = lock.holders.iter().map(Holder::held_for);
            Some(holders.collect::<Vec<_>>())
        };
        let enough = Duration::from_millis(20);
        // Another test of this process may look just before, at a hold of any key.
        let _looked_at = first_of(|| {
            let guard = locks.key("looked at").lock();
            (held_for("looked at") == Some(vec![None])).then_some(guard)
        });
        let _awaited = [(); 3].map(|()| locks.key("awaited").lock());
        let mut waiter = ByHand::new(locks.key("awaited").lock_async());
        assert!(waiter.poll().is_pending());
        let start = Instant::now();
        eventually("time goes by", || start.elapsed() > enough);
        // All three since the waiter came, and also when that one has left.
        for key in ["looked at", "awaited", "awaited"] {
            let held_for = held_for(key).unwrap();
            assert!(held_for.iter().all(|held| *held > Some(enough)), "{key}");
            drop(waiter);
            waiter = ByHand::new(locks.key("nobody's").lock_async());
        }
        // Who has waited knows the moment.
        let files = locks.key("next");
        let guards = [(); 3].map(|()| files.lock());
        let mut next = ByHand::new(files.lock_async());
        assert!(next.poll().is_pending());
        drop(guards);
        let _guard = next.finish();
        assert!(held_for("next").unwrap()[0].is_some());
    });
}

#[cfg(target_os = "linux")]
#[test]
fn thread_is_shown_with_the_systems_id() {
    in_time(|| {
        let locks = Locks::new("system's ids");
        in_thread("numbered", || {
            let _guard = locks.key("thread").lock();
            let link = std::fs::read_link("/proc/thread-self").unwrap();
            let id = link.file_name().unwrap().to_str().unwrap().to_owned();
            let _task = pollster::block_on(locks.key("zzz task").lock_async());
            let [thread, task] = &states("system's ids")[..] else {
                panic!("two locks are held");
            };
            let holder = &thread.holders[0];
            assert_eq!(holder.os_thread(), id.parse().ok());
            let text = format!("{holder:#}");
            let end = format!(" in thread \"numbered\" ({id})");
            assert!(text.ends_with(&end), "{text}");
            assert_eq!(task.holders[0].os_thread(), None);
        });
    });
}

/// A fair lock is always handed over.
#[test]
fn lock_that_nobody_comes_for_is_shown_as_handed_over() {
    in_time(|| {
        let locks = Locks::new("handed over").fair();
        let guard = locks.key("key").lock();
        let mut next = ByHand::new(locks.key("key").lock_async());
        let mut last = ByHand::new(locks.key("key").lock_async());
        assert!(next.poll().is_pending() && last.poll().is_pending());
        drop(guard);
        let state = || states("handed over").remove(0);
        let not_polled_for = || state().holders[0].not_polled_for();
        let enough = Duration::from_millis(20);
        eventually("it isn't polled for a while", || {
            not_polled_for() > Some(enough)
        });
        assert_eq!((state().holders.len(), state().waiters), (1, 1));
        let in_texts = [
            state().to_string(),
            locks.key("key").try_lock().unwrap_err().to_string(),
            pollster::block_on(locks.key("key").lock_timeout_async(enough))
                .unwrap_err()
                .to_string(),
        ];
        for text in in_texts {
            assert!(text.contains(": handed to "), "{text}");
            let end = " s ago, whose future has not been polled since";
            assert!(text.contains(end), "{text}");
        }
        let guard = next.finish();
        assert_eq!(not_polled_for(), None);
        assert!(state().to_string().contains(": held by "));
        // The next one is dropped instead, and so nobody has it.
        drop(guard);
        assert!(not_polled_for().is_some());
        drop(last);
        assert!(states("handed over").is_empty());
    });
}

/// For the first millisecond of its wait a waiter is called to take the lock itself.
#[test]
fn waiter_that_was_called_and_does_not_come_is_shown() {
    in_time(|| {
        let locks = Locks::new("called");
        let state = || states("called").remove(0);
        let mut called = None;
        // On a busy machine the millisecond may be over.
        eventually("a waiter is called, and not handed the lock", || {
            drop(called.take());
            let guard = locks.key("key").lock();
            let mut waiter = ByHand::new(locks.key("key").lock_async());
            assert!(waiter.poll().is_pending());
            drop(guard);
            called = Some(waiter);
            state().holders.is_empty()
        });
        assert!(state().queue[0].who().not_polled_for().is_some());
        // One that comes, and then waits for a newcomer that was faster, is none of those.
        let guard = locks.key("key").try_lock().unwrap();
        let mut waiter = called.unwrap();
        assert!(waiter.poll().is_pending());
        assert_eq!(state().queue[0].who().not_polled_for(), None);
        drop(guard);
        drop(waiter);
    });
}

//! Threads that take locks at their very end, in the destructors of thread-locals: also
//! of those that go after what a lock makes for itself in each thread.

use lockutils::{ErrorKind, Locks};
use lockutils_tests::{eventually, in_time, states, waiters};
use std::cell::RefCell;
use std::sync::{Arc, Barrier, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Runs what is in it when it is dropped. Must not panic there.
struct End(Option<Box<dyn FnOnce()>>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|end| end());
    }
}

thread_local! {
    static END: RefCell<End> = const { RefCell::new(End(None)) };
}

/// A thread that runs `end` after its other thread-locals have gone, and that has
/// taken a lock before.
fn ending(end: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::spawn(|| {
        // Thread-locals go in the reverse of the order in which they came.
        END.with_borrow_mut(|place| place.0 = Some(Box::new(end)));
        drop(Locks::new("before the end").key("key").lock());
    })
}

#[test]
fn ending_thread_excludes_others_and_releases() {
    in_time(|| {
        let locks = Arc::new(Locks::new("ending"));
        let (held, tried) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let thread = ending({
            let (locks, held, tried) = (locks.clone(), held.clone(), tried.clone());
            move || {
                let _guard = locks.key("key").lock();
                held.wait();
                tried.wait();
            }
        });
        held.wait();
        let error = locks.key("key").try_lock().unwrap_err();
        let holder = error.holder().unwrap().to_string();
        assert!(
            holder.ends_with(" in a thread that has ended"),
            "{holder}, as far as one can tell"
        );
        tried.wait();
        thread.join().unwrap();
        assert!(states(&locks).is_empty());
    });
}

/// Who was in the way is looked up when somebody asks, and by then the thread may be gone.
#[test]
fn error_names_the_holder_as_it_was_when_the_try_was_refused() {
    in_time(|| {
        let locks = Arc::new(Locks::new("was in the way"));
        let refused = || locks.key("key").try_lock().unwrap_err();
        let (held, tried) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (its, done) = (locks.clone(), [held.clone(), tried.clone()]);
        let holder = thread::Builder::new().name("forgetful".to_owned());
        let holder = holder.spawn(move || {
            std::mem::forget(its.key("key").lock());
            for step in &done {
                step.wait();
            }
        });
        held.wait();
        let [before, copy] = [refused(), refused()].map(|error| (error.clone(), error));
        tried.wait();
        holder.unwrap().join().unwrap();
        let after = refused().to_string();
        assert!(after.ends_with(" in a thread that has ended"), "{after}");
        for error in [before.0, before.1, copy.0, copy.1] {
            let (text, holder) = (error.to_string(), error.holder().unwrap().to_string());
            assert!(text.ends_with(" in thread \"forgetful\""), "{text}");
            assert!(text.ends_with(&holder), "{text}: {holder}");
        }
    });
}

/// A lock that one ending thread holds is no reason to let another in.
#[test]
fn ending_threads_are_told_apart() {
    in_time(|| {
        let locks = Arc::new(Locks::new("told apart"));
        let (held, tried) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (entered, entries) = mpsc::channel();
        let enter = move |locks: &Locks, who| {
            let entry = locks.key("key").reentrant().try_lock();
            entered.send((who, entry.is_ok())).unwrap();
        };
        let holder = ending({
            let (locks, held, tried) = (locks.clone(), held.clone(), tried.clone());
            let enter = enter.clone();
            move || {
                let _guard = locks.key("key").lock();
                enter(&locks, "holder");
                held.wait();
                tried.wait();
            }
        });
        held.wait();
        let other = ending({
            let locks = locks.clone();
            move || enter(&locks, "other")
        });
        other.join().unwrap();
        tried.wait();
        holder.join().unwrap();
        let entries: Vec<_> = entries.iter().collect();
        assert_eq!(entries, [("holder", true), ("other", false)]);
    });
}

/// Nor is one that waits the one who has a guard that was sent on: that would look like
/// a deadlock.
#[test]
fn ending_thread_that_waits_is_not_whoever_has_a_sent_guard() {
    in_time(|| {
        let locks = Arc::new(Locks::new("no deadlock"));
        let sent = locks.key("sent").lock().into_async();
        let own = locks.key("own").lock();
        let waiting = ending({
            let locks = locks.clone();
            move || drop(locks.key("own").lock())
        });
        eventually("the thread waits", || waiters(&locks) == 1);
        let short = locks.key("sent").lock_timeout(Duration::from_millis(1));
        assert_eq!(short.unwrap_err().kind(), ErrorKind::Timeout);
        drop((own, sent));
        waiting.join().unwrap();
    });
}

//! Wakers are foreign code. The library calls and drops them where they may use the
//! library in turn, so that one that takes a lock itself does not wait for ever.

use crate::fairness::outlast_patience;
use lockutils::{LockFuture, Locks};
use lockutils_tests::{ByHand, in_time};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Uses the library when it is called, and when the last of its clones is dropped.
struct Reentrant {
    locks: Arc<Locks>,
    uses: Arc<AtomicUsize>,
}

impl Reentrant {
    /// Goes through all of the registry, above all where the waker's own key is.
    fn use_library(&self) {
        drop(lockutils::snapshot());
        drop(self.locks.key("key").try_lock());
        drop(self.locks.key("other").lock());
        self.uses.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wake for Reentrant {
    fn wake(self: Arc<Self>) {
        self.use_library();
    }
}

impl Drop for Reentrant {
    fn drop(&mut self) {
        self.use_library();
    }
}

/// A waiter whose only clone of its waker is in the queue.
struct Waiter {
    future: LockFuture,
    locks: Arc<Locks>,
    uses: Arc<AtomicUsize>,
}

impl Waiter {
    fn queued(locks: &Arc<Locks>) -> Self {
        let mut waiter = Self {
            future: locks.key("key").lock_async(),
            locks: Arc::clone(locks),
            uses: Arc::default(),
        };
        assert!(!waiter.poll());
        // The test's own clone was not the last.
        assert_eq!(waiter.uses(), 0);
        waiter
    }

    /// Polls with a fresh waker, and tells whether that took the lock.
    fn poll(&mut self) -> bool {
        let waker = Waker::from(Arc::new(Reentrant {
            locks: Arc::clone(&self.locks),
            uses: Arc::clone(&self.uses),
        }));
        let future = Pin::new(&mut self.future);
        match future.poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(_guard) => true,
            Poll::Pending => false,
        }
    }

    fn uses(&self) -> usize {
        self.uses.load(Ordering::SeqCst)
    }
}

#[test]
fn waker_called_by_a_release_may_lock() {
    in_time(|| {
        let locks = Arc::new(Locks::new("waker"));
        let guard = locks.key("key").lock();
        let waiter = Waiter::queued(&locks);
        drop(guard);
        assert_eq!(waiter.uses(), 2); // Called, then dropped.
    });
}

#[test]
fn waker_called_by_a_hand_over_may_lock() {
    in_time(|| {
        let locks = Arc::new(Locks::new("waker"));
        let guard = locks.key("key").lock();
        let waiter = Waiter::queued(&locks);
        outlast_patience();
        drop(guard);
        assert_eq!(waiter.uses(), 2);
    });
}

#[test]
fn waker_called_by_a_dropped_waiter_may_lock() {
    in_time(|| {
        let locks = Arc::new(Locks::new("waker"));
        let guard = locks.key("key").lock();
        let (first, second) = (Waiter::queued(&locks), Waiter::queued(&locks));
        drop(guard);
        drop(first);
        assert_eq!(second.uses(), 2);
    });
}

#[test]
fn waker_replaced_by_another_poll_may_lock() {
    in_time(|| {
        let locks = Arc::new(Locks::new("waker"));
        let _guard = locks.key("key").lock();
        let mut waiter = Waiter::queued(&locks);
        assert!(!waiter.poll());
        assert_eq!(waiter.uses(), 1);
    });
}

#[test]
fn waker_of_a_dropped_waiter_may_lock() {
    in_time(|| {
        let locks = Arc::new(Locks::new("waker"));
        let _guard = locks.key("key").lock();
        let waiter = Waiter::queued(&locks);
        let uses = Arc::clone(&waiter.uses);
        drop(waiter);
        assert_eq!(uses.load(Ordering::SeqCst), 1);
    });
}

/// A waiter that was not woken is polled, finds the lock free and takes it; its waker
/// is not needed any more.
#[test]
fn waker_of_a_waiter_that_takes_the_lock_may_lock() {
    in_time(|| {
        let locks = Arc::new(Locks::new("waker"));
        let taken_unwoken = || {
            let guard = locks.key("key").lock();
            let (_first, mut second) = (Waiter::queued(&locks), Waiter::queued(&locks));
            drop(guard);
            // False if the first had waited long enough to be handed the lock.
            let taken = second.poll();
            assert!(second.uses() >= 1);
            taken
        };
        while !taken_unwoken() {}
    });
}

/// All shared waiters are woken together, and a fault of one's executor is not the others'.
#[test]
fn waker_that_panics_keeps_no_other_from_being_called() {
    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker that panics");
        }
    }

    in_time(|| {
        let locks = Locks::new("waker");
        let guard = locks.key("key").lock().into_async();
        let mut faulty = locks.key("key").shared().lock_async();
        let waker = Waker::from(Arc::new(Panics));
        let poll = Pin::new(&mut faulty).poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
        let mut sound = ByHand::new(locks.key("key").shared().lock_async());
        assert!(sound.poll().is_pending());
        outlast_patience();
        assert!(catch_unwind(AssertUnwindSafe(|| drop(guard))).is_err());
        assert_eq!(sound.woken(), 1);
        assert!(sound.poll().is_ready());
    });
}

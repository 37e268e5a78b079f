//! Models of an entry: which callers get in, which wait, and in which order.
//!
//! | in the entry | caught by |
//! |---|---|
//! | tickets drawn twice | `cancel_against_hand_over` |
//! | `try_take`: no look at the room | `acquire_against_acquire` |
//! | `try_take`: no look at the queue; shared holders joined before an exclusive waiter | `shared_newcomer_against_exclusive_waiter` |
//! | `try_take`: shared holders not joined | `shared_newcomers_get_in_together` |
//! | `try_reenter`: without a hold; without `Reentry::Allowed` | `reentry_against_acquire` |
//! | `try_reenter`: exclusively into a shared hold | `exclusive_reentry_against_shared` |
//! | `hold`: mode not set | `shared_newcomer_against_fair_hand_over` |
//! | `room`: a permit too many; only the first holder counted | `permits_bound` |
//! | `room`: a permit too few | `permits_are_all_given` |
//! | `room`: any number of shared holds in a counted space | `permits_bound_shared_holds` |
//! | `room`: shared beside exclusive holds; exclusive beside shared ones | `shared_against_exclusive` |
//! | `room`: shared holds one at a time | `shared_waiters_get_in_together` |
//! | `room`: always | `acquire_against_acquire` |
//! | `enqueue`: waker lost | `acquire_against_acquire` |
//! | `retry`: waker not replaced | `repoll_against_release` |
//! | `retry`: no look at the room | `timeout_of_zero_against_wake_up` |
//! | `retry`: no look at the first waiter | `shared_newcomer_against_exclusive_waiter` |
//! | `retry`: the first waiter not let in; not passed on | `shared_waiters_get_in_together` |
//! | `retry`: hand-over not seen | `cancel_against_hand_over` |
//! | `retry`: not held | `deadlock_against_shared_release` |
//! | `release`: not passed on | `acquire_against_acquire` |
//! | `release`: the other holders forgotten | `shared_waiters_get_in_together` |
//! | `release`: the first holder in place of another | `own_deadlock_against_shared_release` |
//! | `release`: a holder that isn't the first stays | `shared_against_exclusive` |
//! | `leave`: not passed on | `cancel_against_wake_up` |
//! | `leave`: hand-over kept | `cancel_against_hand_over` |
//! | `pass_on`: no look at the room; a hand-over without its wake-up, or without the hold | `cancel_against_hand_over` |
//! | `pass_on`: wake-up lost | `acquire_against_acquire` |
//! | `pass_on`: only one waiter; `Wakers`: only one called | `shared_waiters_get_in_together_fair` |
//! | `pass_on`: no end to overtaking | `newcomer_against_hand_over` |
//! | `is_idle`: with waiters | `acquire_against_acquire` |
//! | `is_idle`: with holders | `cancel_against_hand_over` |
//! | `wait`: an earlier waiter isn't in the way | `deadlock_by_a_waiter` |
//! | `wait`: the holders aren't in the way | `deadlock_against_deadlock` |
//! | `wait`: another waiter's, for a waiter that has the lock by now | `timeout_of_zero_against_hand_over` |
//! | `disown`: the first hold not; the others not | `sent_guards_against_acquire` |
//! | `pass_on`: a hand-over not marked; `retry`: that mark kept | `snapshot_against_hand_over` |

use super::{COUNTED, FAIR, LOCKS, Meeting, PATIENCE, Protected, block_on, key, model, poll_once};
use crate::holder::Holder;
use crate::local::Locks;
use crate::snapshot::snapshot;
use crate::sync::pass;
use loom::sync::atomic::AtomicU32;
use loom::thread;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// An exclusive waiter has waited for so long when somebody else comes. It is a task that
/// is polled in time.
fn in_turn(locks: &'static Locks, shared: bool, wait: Duration) {
    let protected = Protected::new();
    let held = key(locks, shared).lock();
    let mut waiter = locks.key("0").lock_async();
    assert!(poll_once(&mut waiter).is_pending());
    pass(wait);
    let newcomer = {
        let protected = protected.clone();
        thread::spawn(move || {
            let _guard = key(locks, shared).lock();
            assert_eq!(protected.changes(), 1, "it came second");
        })
    };
    drop(held);
    let guard = block_on(waiter);
    protected.change();
    drop(guard);
    newcomer.join().unwrap();
}

#[test]
fn newcomer_against_fair_hand_over() {
    model(5, || in_turn(&FAIR, false, Duration::ZERO));
}

#[test]
fn shared_newcomer_against_fair_hand_over() {
    model(5, || in_turn(&FAIR, true, Duration::ZERO));
}

#[test]
fn newcomer_against_hand_over() {
    model(5, || in_turn(&LOCKS, false, PATIENCE));
}

/// Whoever comes while an exclusive waiter waits for shared holders doesn't join them.
#[test]
fn shared_newcomer_against_exclusive_waiter() {
    model(5, || {
        let released = Rc::new(AtomicU32::new(0));
        let held = LOCKS.key("0").shared().lock();
        let mut waiter = LOCKS.key("0").lock_async();
        assert!(poll_once(&mut waiter).is_pending());
        let newcomer = {
            let released = Rc::clone(&released);
            thread::spawn(move || {
                let mut newcomer = LOCKS.key("0").shared().lock_async();
                // Once as a newcomer, and once as one who waits.
                if [(); 2].iter().any(|()| poll_once(&mut newcomer).is_ready()) {
                    assert_eq!(released.load(Ordering::Relaxed), 1, "it joined");
                }
            })
        };
        released.store(1, Ordering::Relaxed);
        drop(held);
        newcomer.join().unwrap();
        drop(block_on(waiter));
    });
}

#[test]
fn shared_against_exclusive() {
    model(2, || {
        let protected = Protected::new();
        let readers = [(); 2].map(|()| {
            let protected = protected.clone();
            thread::spawn(move || {
                let _guard = LOCKS.key("0").shared().lock();
                assert!(protected.changes() <= 1);
            })
        });
        let guard = LOCKS.key("0").lock();
        protected.change();
        drop(guard);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

/// Both get in, those who wait by one release.
fn meet(locks: &'static Locks, held: impl Sized, shared: bool) {
    let meeting = Meeting::of(2);
    let waiters = [(); 2].map(|()| {
        let meeting = Rc::clone(&meeting);
        thread::spawn(move || {
            let _guard = key(locks, shared).lock();
            meeting.attend();
        })
    });
    drop(held);
    for waiter in waiters {
        waiter.join().unwrap();
    }
}

#[test]
fn shared_newcomers_get_in_together() {
    model(3, || meet(&LOCKS, (), true));
}

#[test]
fn shared_waiters_get_in_together() {
    model(2, || meet(&LOCKS, LOCKS.key("0").lock(), true));
}

#[test]
fn shared_waiters_get_in_together_fair() {
    model(2, || meet(&FAIR, FAIR.key("0").lock(), true));
}

#[test]
fn permits_are_all_given() {
    model(2, || {
        let both = [(); 2].map(|()| COUNTED.key("0").lock());
        meet(&COUNTED, both, false);
    });
}

/// No more get in than there are permits.
fn bound(shared: bool) {
    let inside = Rc::new(AtomicU32::new(0));
    let section = |inside: Rc<AtomicU32>| {
        move || {
            let _guard = key(&COUNTED, shared).lock();
            // Relaxed, so that nothing here orders the threads.
            assert!(inside.fetch_add(1, Ordering::Relaxed) < 2);
            inside.fetch_sub(1, Ordering::Relaxed);
        }
    };
    let others = [(); 2].map(|()| thread::spawn(section(Rc::clone(&inside))));
    section(inside)();
    for other in others {
        other.join().unwrap();
    }
}

#[test]
fn permits_bound() {
    model(2, || bound(false));
}

#[test]
fn permits_bound_shared_holds() {
    model(2, || bound(true));
}

#[test]
fn reentry_against_acquire() {
    model(4, || {
        let protected = Protected::new();
        let other = {
            let protected = protected.clone();
            thread::spawn(move || {
                let _guard = LOCKS.key("0").reentrant().lock();
                protected.change();
            })
        };
        let outer = LOCKS.key("0").lock();
        assert!(LOCKS.key("0").try_lock().is_err());
        let inner = LOCKS.key("0").reentrant().lock();
        drop(outer);
        protected.change();
        drop(inner);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

#[test]
fn exclusive_reentry_against_shared() {
    model(5, || {
        let protected = Protected::new();
        let reader = {
            let protected = protected.clone();
            thread::spawn(move || {
                let _guard = LOCKS.key("0").shared().lock();
                assert!(protected.changes() <= 1);
            })
        };
        let _outer = LOCKS.key("0").shared().lock();
        if let Ok(_guard) = LOCKS.key("0").reentrant().try_lock() {
            protected.change();
        }
        reader.join().unwrap();
    });
}

/// The holder of the fair lock, and whether that is the task.
fn look() -> Option<(Holder, bool)> {
    let states = snapshot().into_iter();
    let mut holders = states.flat_map(|lock| lock.holders);
    let holder = holders.next()?;
    assert!(holders.next().is_none());
    let is_task = holder.to_string().ends_with(" in an async task");
    Some((holder, is_task))
}

/// Whoever looks sees a hand-over as one until the waiter comes.
#[test]
fn snapshot_against_hand_over() {
    model(4, || {
        let progress = Rc::new(AtomicU32::new(0));
        let held = FAIR.key("0").lock();
        let mut waiter = FAIR.key("0").lock_async();
        assert!(poll_once(&mut waiter).is_pending());
        let looker = {
            let progress = Rc::clone(&progress);
            thread::spawn(move || {
                let before = progress.load(Ordering::Acquire);
                let seen = look();
                let after = progress.load(Ordering::Acquire);
                match seen {
                    None => assert_eq!(after, 2),
                    Some((holder, false)) => assert!(holder.not_polled_for().is_none()),
                    Some((holder, true)) if holder.not_polled_for().is_none() => {
                        assert!(after >= 1, "it hasn't come");
                    }
                    Some((_, true)) => assert!(before <= 1, "it has come"),
                }
            })
        };
        drop(held);
        progress.store(1, Ordering::Release);
        let taken = poll_once(&mut waiter);
        assert!(taken.is_ready());
        progress.store(2, Ordering::Release);
        drop(taken);
        looker.join().unwrap();
    });
}

//! Models of waits that never end: which thread finds that, and which one is told.
//!
//! | in the waits | caught by |
//! |---|---|
//! | `Waiting`: looked before it is in the graph; a deadlock not told | `deadlock_against_deadlock` |
//! | `Waiting`: stays in the graph; told and not called; told and never looked at | `deadlock_of_one_who_cannot_fail` |
//! | `Waiting`: sure of a wait that can fail | `deadlock_against_timeout` |
//! | `judge`: no thread told; a panic where another thread can fail | `deadlock_of_one_who_cannot_fail` |
//! | `judge`: only one told | `two_told_at_once` |
//! | `tell`: a thread that is told stays in searches | `deadlock_of_one_who_cannot_fail` |
//! | `look`: an earlier waiter isn't in the way | `deadlock_by_a_waiter` |
//! | `look`: the holders aren't in the way | `deadlock_of_one_who_cannot_fail` |
//! | `add_lock`: permits of holders that don't wait not counted | `own_permit_against_release` |
//!
//! | in what is suspected of tasks | caught by |
//! |---|---|
//! | `hold_of`: not looked at; looked at before it has the lock | `overtaking_against_begin` |
//! | `go_on`: not looked at; of threads alone | `hand_over_to_one_that_is_let_be_against_begin` |
//! | `called_before`: nobody is in the way | `call_of_one_that_is_let_be_against_begin` |
//! | `recall_others`: not by `go_on`; not by `enter` | `one_that_is_let_be_is_called_again` |
//!
//! | in the crowd | caught by |
//! |---|---|
//! | new waits not asked for; suspects forgotten after a search; a release that keeps the owner | `deadlock_against_shared_release` |
//! | `disown`: the owner stays | `sent_guards_against_acquire` |
//!
//! A wait that is over is left out of a search, and a thread that is told looks whether it still
//! waits: for a thread one alone is enough.

use super::{COUNTED, FAIR, LOCKS, model};
use crate::error::ErrorKind;
use crate::future::LockFuture;
use crate::graph::is_suspicious;
use crate::guard::AsyncGuard;
use crate::handle::Handle;
use crate::local::Locks;
use loom::thread;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Takes a second lock, or finds that it would wait for ever. Says how often it found that.
fn take_second(_first: impl Sized, second: &Handle<'static, &'static str>) -> u32 {
    match second.lock_timeout(Duration::MAX) {
        Ok(_second) => 0,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Deadlock);
            1
        }
    }
}

#[test]
fn deadlock_against_deadlock() {
    model(4, || {
        let other = thread::spawn(|| take_second(LOCKS.key("0").lock(), &LOCKS.key("1")));
        let found = take_second(LOCKS.key("1").lock(), &LOCKS.key("0"));
        assert!(found + other.join().unwrap() <= 1, "one was enough");
    });
}

/// A shared newcomer waits for an exclusive waiter, and that one for a holder who waits for
/// the newcomer.
#[test]
fn deadlock_by_a_waiter() {
    model(2, || {
        let held = LOCKS.key("0").shared().lock();
        let waiter = thread::spawn(|| take_second((), &LOCKS.key("0")));
        let newcomer =
            thread::spawn(|| take_second(LOCKS.key("1").lock(), &LOCKS.key("0").shared()));
        let found = take_second(held, &LOCKS.key("1"));
        let found = found + waiter.join().unwrap() + newcomer.join().unwrap();
        assert!(found <= 1, "one was enough");
    });
}

/// A thread that gives up at once is no part of a deadlock, so nobody fails for it.
#[test]
fn deadlock_against_timeout() {
    model(4, || {
        let gives_up = thread::spawn(|| {
            let _first = LOCKS.key("0").lock();
            drop(LOCKS.key("1").lock_timeout(Duration::ZERO));
        });
        let _first = LOCKS.key("1").lock();
        drop(LOCKS.key("0").lock());
        gives_up.join().unwrap();
    });
}

/// Of two who wait for each other one can't fail: the other one is told, whoever comes last.
#[test]
fn deadlock_of_one_who_cannot_fail() {
    model(4, || {
        let can_fail = thread::spawn(|| take_second(LOCKS.key("0").lock(), &LOCKS.key("1")));
        let own = LOCKS.key("1").lock();
        drop(LOCKS.key("0").lock());
        drop(own);
        can_fail.join().unwrap();
    });
}

/// Of two who wait for each other, and can't fail, the one that closes the cycle panics.
#[test]
fn deadlock_of_two_who_cannot_fail() {
    /// Takes a second lock, or panics. Says how often it did.
    fn take_second(first: &str, second: &str) -> u32 {
        let _first = LOCKS.key(first).lock();
        let second = AssertUnwindSafe(|| drop(LOCKS.key(second).lock()));
        let Err(panic) = panic::catch_unwind(second) else {
            return 0;
        };
        match panic.downcast_ref::<String>() {
            Some(message) if message.contains("deadlock: ") => 1,
            _ => panic::resume_unwind(panic), // Loom's, of threads that all block.
        }
    }
    model(4, || {
        let other = thread::spawn(|| take_second("0", "1"));
        let panics = take_second("1", "0") + other.join().unwrap();
        assert!(panics <= 1, "one was enough");
    });
}

/// As one of two who hold the permits gives up, the permit goes to who has just been told that
/// it waits for ever.
#[test]
fn told_against_hand_over() {
    model(2, || {
        let permit = COUNTED.key("0").lock();
        let told = thread::spawn(|| take_second(LOCKS.key("1").lock(), &COUNTED.key("0")));
        let gives_up = thread::spawn(|| {
            let _permit = COUNTED.key("0").lock();
            drop(LOCKS.key("1").lock_timeout(Duration::ZERO));
        });
        drop(LOCKS.key("1").lock());
        drop(permit);
        told.join().unwrap();
        gives_up.join().unwrap();
    });
}

/// Two share a lock, and each of them has to make room for one who can't fail.
#[test]
fn two_told_at_once() {
    model(2, || {
        let own = LOCKS.key("1").lock();
        let readers = [(); 2].map(|()| {
            thread::spawn(|| take_second(LOCKS.key("0").shared().lock(), &LOCKS.key("1")))
        });
        drop(LOCKS.key("0").lock());
        drop(own);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

/// Nobody is told who holds what no cycle goes through.
#[test]
fn nobody_told_beside_a_deadlock() {
    model(2, || {
        let bystander = thread::spawn(|| take_second(LOCKS.key("2").lock(), &LOCKS.key("1")));
        let can_fail = thread::spawn(|| take_second(LOCKS.key("0").lock(), &LOCKS.key("1")));
        let own = LOCKS.key("1").lock();
        drop(LOCKS.key("0").lock());
        drop(own);
        can_fail.join().unwrap();
        assert_eq!(bystander.join().unwrap(), 0);
    });
}

/// While one of two shared holders closes a deadlock, the other one releases.
#[test]
fn deadlock_against_shared_release() {
    model(2, || {
        let other_reader = LOCKS.key("0").shared().lock().into_async();
        let reader = thread::spawn(|| take_second(LOCKS.key("0").shared().lock(), &LOCKS.key("1")));
        let release = thread::spawn(|| drop(other_reader));
        let found = take_second(LOCKS.key("1").lock(), &LOCKS.key("0"));
        release.join().unwrap();
        assert!(found + reader.join().unwrap() <= 1, "one was enough");
    });
}

/// A thread waits for a lock that it holds shared, while another holder releases.
#[test]
fn own_deadlock_against_shared_release() {
    model(5, || {
        let _own = LOCKS.key("0").shared().lock();
        let other = LOCKS.key("0").shared().lock().into_async();
        let release = thread::spawn(|| drop(other));
        let error = LOCKS.key("0").lock_timeout(Duration::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        release.join().unwrap();
    });
}

/// A thread waits for a permit, of which it has one itself.
#[test]
fn own_permit_against_release() {
    model(3, || {
        let own = COUNTED.key("0").lock();
        let other = thread::spawn(|| drop(COUNTED.key("0").lock()));
        drop(COUNTED.key("0").lock());
        drop(own);
        other.join().unwrap();
    });
}

/// A thread waits for a lock whose guards it has sent away.
#[test]
fn sent_guards_against_acquire() {
    model(4, || {
        let sent = [(); 2].map(|()| LOCKS.key("0").shared().lock().into_async());
        let release = thread::spawn(|| drop(sent));
        drop(LOCKS.key("0").lock());
        release.join().unwrap();
    });
}

/// A task, which is known by its waker.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

/// One that says whether it was called.
#[derive(Default)]
struct Called(AtomicBool);

impl Called {
    /// Whether it was, since the last time.
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn task() -> Waker {
    Waker::from(Arc::new(Task))
}

fn poll(future: &mut LockFuture, task: &Waker) -> Poll<AsyncGuard> {
    Pin::new(future).poll(&mut Context::from_waker(task))
}

/// A branch of a task waits for what another task has, and that one asks for a lock whose holder releases. Then the
/// first one does its `part`, by which it is to have that lock, and gives whether it has. Both wait for each other if
/// the other one still waits, and that is to be suspected.
fn suspects<R>(
    locks: &'static Locks,
    before: impl FnOnce(&Waker) -> R,
    part: impl FnOnce(&Waker, &mut LockFuture) -> Option<AsyncGuard>,
) {
    let held = locks.key("0").lock();
    let [own, other] = [(); 2].map(|()| task());
    let Poll::Ready(awaited) = poll(&mut locks.key("1").lock_async(), &other) else {
        panic!("it is free");
    };
    let before = before(&own);
    let mut waits = locks.key("1").lock_async();
    assert!(poll(&mut waits, &own).is_pending());
    let other = thread::spawn(move || {
        let mut asks = locks.key("0").lock_async();
        let taken = poll(&mut asks, &other);
        (taken, asks, other)
    });
    drop(held);
    let own = part(&own, &mut waits);
    let (taken, ..) = &other.join().unwrap();
    assert_eq!(is_suspicious(), taken.is_pending());
    drop((before, own, waits, awaited));
}

#[test]
fn overtaking_against_begin() {
    model(5, || {
        suspects(
            &LOCKS,
            |_| (),
            |own, _| match poll(&mut LOCKS.key("0").lock_async(), own) {
                Poll::Ready(guard) => Some(guard),
                Poll::Pending => None,
            },
        );
    });
}

/// A task that has asked for a lock, and polls only another future since.
fn let_be(locks: &'static Locks) {
    let asks = |own: &Waker| {
        let mut asked = locks.key("0").lock_async();
        assert!(poll(&mut asked, own).is_pending());
        asked
    };
    suspects(locks, asks, |own, waits| {
        assert!(poll(waits, own).is_pending());
        None
    });
}

#[test]
fn hand_over_to_one_that_is_let_be_against_begin() {
    model(5, || let_be(&FAIR));
}

#[test]
fn call_of_one_that_is_let_be_against_begin() {
    model(5, || let_be(&LOCKS));
}

/// Who was called and is overtaken, and only polls or begins another wait since, is called again when there is room:
/// so it looks once more whether it is stuck.
#[test]
fn one_that_is_let_be_is_called_again() {
    type Part = fn(&Waker, LockFuture) -> LockFuture;
    let ask = || COUNTED.key("0").lock_async();
    let polls: Part = |own, mut waits| {
        assert!(poll(&mut waits, own).is_pending());
        waits
    };
    let begins: Part = |own, waits| {
        drop(waits);
        let mut waits = COUNTED.key("0").lock_async();
        assert!(poll(&mut waits, own).is_pending());
        waits
    };
    for part in [polls, begins] {
        model(5, move || {
            let (called, other) = (Arc::new(Called::default()), task());
            let own = Waker::from(Arc::clone(&called));
            let hold = || [(); 2].map(|()| poll(&mut ask(), &other));
            let held = hold();
            let [_let_be, waits] = [(); 2].map(|()| {
                let mut asks = ask();
                assert!(poll(&mut asks, &own).is_pending());
                asks
            });
            drop(held);
            assert!(called.take());
            let held = hold();
            assert!(held.iter().all(Poll::is_ready));
            let mut waits = part(&own, waits);
            assert!(!called.take());
            drop(held);
            assert!(called.take());
            assert!(poll(&mut waits, &own).is_ready());
        });
    }
}

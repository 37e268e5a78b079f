//! Every race of the engine, tried out in every order by [loom](https://docs.rs/loom).
//!
//! Run with `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p lockutils
//! --release --lib models`. In a model the table has two shards of two buckets, a key's
//! first digit says which of them it is in, and time passes only when the model says so.
//!
//! # What they catch
//!
//! Each of these changes was made alone, and the model named beside it is one that failed
//! then. "Relaxed" says that the ordering was weakened to that.
//!
//! | in the bucket | caught by |
//! |---|---|
//! | `try_take`: relaxed; load and store in two steps; taken in any case | `acquire_against_acquire` |
//! | `try_take`: `complete` relaxed | `snapshot_against_acquire` |
//! | `release`: relaxed | `acquire_against_acquire` |
//! | `release`: load and store in two steps | `release_against_enqueue` |
//! | `release`: `complete` not cleared; cleared after the word; relaxed when set again | `snapshot_against_acquire` |
//! | `release`: `complete` not set again | `release_against_enqueue` |
//! | `reserve`: relaxed | `acquire_and_release_against_inflation` |
//! | `reserve`: load and store in two steps; one entry too few, or too many; no count; no record read | `release_against_enqueue` |
//! | `reserve`: a record read where there is none | `one_key_after_another_in_a_bucket` |
//! | `unreserve`: relaxed | `deflate_against_acquire` |
//! | `unreserve`: `complete` not cleared | `acquire_and_release_against_inflation` |
//! | `unreserve`: `complete` cleared after the word | `deadlock_by_a_waiter` |
//! | `unreserve`: nothing taken off | `release_against_enqueue` |
//! | `unreserve`: free though there are others | `acquire_and_release_against_inflation` |
//! | `read`: relaxed; not waited for | `snapshot_against_acquire` |
//!
//! | in the table | caught by |
//! |---|---|
//! | an entry found without its text; removed, or gotten, without its number | `two_keys_in_one_bucket` |
//! | an entry found without its space | `one_key_in_two_spaces` |
//! | a counted lock on the fast path | `permits_are_all_given` |
//! | long text on the fast path | `long_key_against_the_same` |
//! | queued without a look whether the lock is free; what a retry took lost | `acquire_against_acquire` |
//! | a new entry that reserves nothing | `two_keys_in_one_bucket` |
//! | a removed entry that keeps its reservation; `Inflated` dropped without `unreserve` | `acquire_against_acquire` |
//! | idle entries kept; busy ones removed | `acquire_against_acquire` |
//! | numbers used twice | `deadlock_against_shared_release` |
//! | numbers of thin holds used for others; a waiter's entry found without its number | `deadlock_against_deadlock` |
//! | a thin hold that becomes an entry with another number | `release_against_enqueue` |
//! | ... that is not fair | `newcomer_against_fair_hand_over` |
//! | ... that has two permits | `acquire_against_acquire` |
//! | ... that is shared | `shared_against_exclusive` |
//! | inflated before the mutex is locked | `acquire_against_acquire` |
//! | a waiter leaves by `release` | `cancel_against_hand_over` |
//! | an error for who has the lock by now | `timeout_against_hand_over` |
//! | a snapshot without inflation | `snapshot_against_acquire` |
//!
//! | in the entry | caught by |
//! |---|---|
//! | tickets drawn twice | `cancel_against_hand_over` |
//! | `try_take`: no look at the room | `acquire_against_acquire` |
//! | `try_take`: no look at who waits; shared holders joined before an exclusive waiter | `shared_newcomer_against_exclusive_waiter` |
//! | `try_take`: shared holders not joined | `shared_newcomers_get_in_together` |
//! | `try_reenter`: for who holds nothing; for who didn't ask | `reentry_against_acquire` |
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
//! | `retry`: no look at who is first | `shared_newcomer_against_exclusive_waiter` |
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
//! | `wait`: the first waiter in nobody's way | `deadlock_by_a_waiter` |
//! | `wait`: the holders in nobody's way | `deadlock_against_deadlock` |
//! | `wait`: another waiter's, for who has the lock by now | `timeout_of_zero_against_hand_over` |
//! | `disown`: the first hold not; the others not | `sent_guards_against_acquire` |
//!
//! | in the waits | caught by |
//! |---|---|
//! | `Waiting`: looked before it is in the graph; a deadlock not told | `deadlock_against_deadlock` |
//! | `Waiting`: stays in the graph; told and not called; told and never looked at | `deadlock_of_one_who_cannot_fail` |
//! | `Waiting`: sure of a wait that can fail | `deadlock_against_timeout` |
//! | `judge`: nobody told; a panic where another one can fail | `deadlock_of_one_who_cannot_fail` |
//! | `judge`: only one told | `two_told_at_once` |
//! | `tell`: who is told stays in the graph | `deadlock_of_one_who_cannot_fail` |
//! | `look`: a waiter before it in nobody's way | `deadlock_by_a_waiter` |
//! | `look`: the holders in nobody's way | `deadlock_of_one_who_cannot_fail` |
//! | `add_lock`: permits of those who don't wait not counted | `own_permit_against_release` |
//!
//! | in the crowd | caught by |
//! |---|---|
//! | who began to wait not asked for; suspects forgotten; a release that keeps the owner | `deadlock_against_shared_release` |
//! | `disown`: the owner stays | `sent_guards_against_acquire` |
//!
//! | in the drivers | caught by |
//! |---|---|
//! | `into_async` without `disown` | `sent_guards_against_acquire` |
//! | `step`: not done once it has the lock; `One` that leaves no queue when it is dropped | `cancel_against_hand_over` |
//! | `block_for`: no end | `timeout_against_hand_over` |
//! | `LockTimeoutFuture`: keeps its place when the time is over | `timeout_of_a_task_against_hand_over` |
//! | `Signal`: the call not noted; noted after the notification; no notification; a call before the wait forgotten | `acquire_against_acquire` |
//! | `Signal`: one call for all waits | `timeout_of_zero_against_wake_up` |
//! | several keys in the order given | `several_keys_against_the_same` |
//!
//! Some changes no model can catch, since nothing but speed depends on them: what a hint
//! answers; that only thin holds try to be released by the bucket, which an entry keeps
//! inflated; that `complete` is cleared only where the bucket becomes free; that newcomers
//! and waiters may overtake at all. A fair lock has two guards of its order, that it is
//! handed over and that nobody may overtake, of which one alone is enough.
//!
//! A wait that is over is left out of a search, and a thread that is told looks whether it still
//! waits: for a thread one alone is enough.
//!
//! Others are no matter of a race, and `tests` has them: what a waker does when it is called
//! or dropped, the panic of a deadlock, who of several is told, who is stuck beside others who aren't,
//! suspicions and the names of tasks in them. The
//! numbers of spaces and threads, and the seeds of the hash, are not modelled.

use super::Locks;
use crate::__private::{Function, finish, site};
use crate::error::ErrorKind;
use crate::future::LockFuture;
use crate::guard::{AsyncGuard, Guard};
use crate::handle::Handle;
use crate::snapshot::snapshot;
use crate::space::Space as _;
use crate::sync::{Instant, pass};
use crate::table::policy::Mode;
use crate::{graph, table};
use loom::cell::Cell;
use loom::model::Builder;
use loom::sync::atomic::AtomicU32;
use loom::sync::{Condvar, Mutex};
use loom::thread::{self, JoinHandle, Thread};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Newcomers may overtake, until a waiter has waited for [`PATIENCE`].
static LOCKS: Locks = Locks::new("models");
/// A lock is always handed over.
static FAIR: Locks = Locks::new("fair models").fair();
static COUNTED: Locks = Locks::new("counted models").permits(2);

const PATIENCE: Duration = Duration::from_millis(1);

/// Runs the executions of a model in which threads are preempted so often at most, and
/// checks of each that nothing stays behind.
fn model(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    let executions = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&executions);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        // The table and the clock are made before there are threads, or else those would
        // be ordered by who makes them.
        assert!(is_empty() && Instant::now().elapsed().is_zero());
        run();
        assert!(is_empty(), "something stays behind");
    });
    println!("{} executions", executions.load(Ordering::Relaxed));
}

fn is_empty() -> bool {
    table::is_empty() && graph::is_empty()
}

/// What a lock protects. Loom fails a model in which two get at it, one of them to change
/// it, and the one is not done before the other.
#[derive(Clone)]
struct Protected(Rc<Cell<u32>>);

impl Protected {
    fn new() -> Self {
        Self(Rc::new(Cell::new(0)))
    }

    fn change(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn changes(&self) -> u32 {
        self.0.get()
    }
}

/// Where threads wait until all of them are there.
struct Meeting {
    missing: Mutex<u32>,
    complete: Condvar,
}

impl Meeting {
    fn of(threads: u32) -> Rc<Self> {
        Rc::new(Self {
            missing: Mutex::new(threads),
            complete: Condvar::new(),
        })
    }

    fn attend(&self) {
        let mut missing = self.missing.lock().unwrap();
        *missing -= 1;
        self.complete.notify_all();
        while *missing > 0 {
            missing = self.complete.wait(missing).unwrap();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn poll_once(future: &mut LockFuture) -> Poll<AsyncGuard> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn key(locks: &'static Locks, shared: bool) -> Handle<'static, &'static str> {
    let key = locks.key("0");
    if shared { key.shared() } else { key }
}

/// A thread that takes the lock of the key, and changes what it protects.
fn changer(locks: &'static Locks, key: &'static str, protected: &Protected) -> JoinHandle<()> {
    let protected = protected.clone();
    thread::spawn(move || {
        let _guard = locks.key(key).lock();
        protected.change();
    })
}

#[test]
fn acquire_against_acquire() {
    model(5, || {
        let protected = Protected::new();
        let other = changer(&LOCKS, "0", &protected);
        let guard = LOCKS.key("0").lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

/// Of a key that is too long for a bucket.
#[test]
fn long_key_against_the_same() {
    model(5, || {
        static KEY: &str =
            "0-----------------------------------------------------------------------";
        let protected = Protected::new();
        let other = changer(&LOCKS, KEY, &protected);
        let guard = LOCKS.key(KEY).lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

#[test]
fn task_against_thread() {
    model(5, || {
        let protected = Protected::new();
        let thread = changer(&LOCKS, "0", &protected);
        let guard = block_on(LOCKS.key("0").lock_async());
        protected.change();
        drop(guard);
        thread.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

#[test]
fn acquire_and_release_against_inflation() {
    model(5, || {
        let protected = Protected::new();
        let tries = {
            let protected = protected.clone();
            thread::spawn(move || {
                if let Ok(_guard) = LOCKS.key("0").try_lock() {
                    protected.change();
                }
            })
        };
        for _ in 0..2 {
            let _guard = LOCKS.key("0").lock();
            protected.change();
        }
        tries.join().unwrap();
    });
}

#[test]
fn release_against_enqueue() {
    model(5, || {
        let protected = Protected::new();
        let guard = LOCKS.key("0").lock();
        let waiter = changer(&LOCKS, "0", &protected);
        protected.change();
        drop(guard);
        waiter.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

/// While the holder releases, the first waiter gives up, and a second one waits or comes.
fn cancel(locks: &'static Locks) {
    let protected = Protected::new();
    let guard = locks.key("0").lock();
    let mut cancelled = locks.key("0").lock_async();
    assert!(poll_once(&mut cancelled).is_pending());
    let waiter = changer(locks, "0", &protected);
    let cancel = thread::spawn(move || drop(cancelled));
    protected.change();
    drop(guard);
    cancel.join().unwrap();
    waiter.join().unwrap();
    assert_eq!(protected.changes(), 2);
}

#[test]
fn cancel_against_hand_over() {
    model(3, || cancel(&FAIR));
}

#[test]
fn cancel_against_wake_up() {
    model(3, || cancel(&LOCKS));
}

/// A thread that takes the lock in time or gives up; says how often it changed what is
/// protected.
fn timed(locks: &'static Locks, timeout: Duration, protected: &Protected) -> JoinHandle<u32> {
    let protected = protected.clone();
    thread::spawn(move || {
        let (taken, line) = (locks.key("0").lock_timeout(timeout), line!());
        match &taken {
            Ok(_guard) => protected.change(),
            Err(error) => {
                let holder = error
                    .holder()
                    .and_then(|holder| Some(holder.site()?.location().line()));
                assert_ne!(holder, Some(line), "it was in its own way");
            }
        }
        u32::from(taken.is_ok())
    })
}

/// While the holder releases, the waiter's time comes to its end.
fn timeout(locks: &'static Locks) {
    let protected = Protected::new();
    let guard = locks.key("0").lock();
    let timed = timed(locks, PATIENCE, &protected);
    protected.change();
    pass(PATIENCE);
    drop(guard);
    let changes = timed.join().unwrap();
    assert_eq!(protected.changes(), 1 + changes);
}

#[test]
fn timeout_against_hand_over() {
    model(5, || timeout(&FAIR));
}

#[test]
fn timeout_against_wake_up() {
    model(5, || timeout(&LOCKS));
}

/// While the holder releases, a waiter gives up, before or after a second one comes.
fn give_up(locks: &'static Locks) {
    let protected = Protected::new();
    let guard = locks.key("0").lock();
    let timed = timed(locks, Duration::ZERO, &protected);
    let waiter = changer(locks, "0", &protected);
    protected.change();
    drop(guard);
    let changes = timed.join().unwrap();
    waiter.join().unwrap();
    assert_eq!(protected.changes(), 2 + changes);
}

#[test]
fn timeout_of_zero_against_hand_over() {
    model(2, || give_up(&FAIR));
}

#[test]
fn timeout_of_zero_against_wake_up() {
    model(2, || give_up(&LOCKS));
}

/// As [`give_up`], by a task that keeps its future.
fn give_up_task(locks: &'static Locks) {
    let protected = Protected::new();
    let guard = locks.key("0").lock();
    let timed = {
        let protected = protected.clone();
        thread::spawn(move || {
            let mut timed = pin!(locks.key("0").lock_timeout_async(Duration::ZERO));
            if let Ok(_guard) = block_on(timed.as_mut()) {
                protected.change();
            }
            let _guard = locks.key("0").lock();
            protected.change();
        })
    };
    protected.change();
    drop(guard);
    timed.join().unwrap();
}

#[test]
fn timeout_of_a_task_against_hand_over() {
    model(5, || give_up_task(&FAIR));
}

#[test]
fn timeout_of_a_task_against_wake_up() {
    model(5, || give_up_task(&LOCKS));
}

#[test]
fn repoll_against_release() {
    model(5, || {
        let guard = LOCKS.key("0").lock();
        let mut future = LOCKS.key("0").lock_async();
        // Its first waker wakes nobody.
        assert!(poll_once(&mut future).is_pending());
        let task = thread::spawn(|| drop(block_on(future)));
        drop(guard);
        task.join().unwrap();
    });
}

#[test]
fn several_keys_against_the_same() {
    model(5, || {
        let protected = Protected::new();
        let other = {
            let protected = protected.clone();
            thread::spawn(move || {
                let _guard = LOCKS.keys(["1", "0"]).lock();
                protected.change();
            })
        };
        let guard = LOCKS.keys(["0", "1"]).lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

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
    model(5, || {
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
    model(5, || {
        let sent = [(); 2].map(|()| LOCKS.key("0").shared().lock().into_async());
        let release = thread::spawn(|| drop(sent));
        drop(LOCKS.key("0").lock());
        release.join().unwrap();
    });
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

/// While a lock of the bucket is released to one who waits, another one is free.
fn in_one_bucket(locks: &'static Locks, key: &'static str) {
    let [one, two] = [(); 2].map(|()| Protected::new());
    let guard = LOCKS.key("0").lock();
    let others = [changer(&LOCKS, "0", &one), changer(locks, key, &two)];
    let [other, too] = others;
    too.join().unwrap();
    one.change();
    drop(guard);
    other.join().unwrap();
    assert_eq!((one.changes(), two.changes()), (2, 1));
}

#[test]
fn two_keys_in_one_bucket() {
    model(2, || in_one_bucket(&LOCKS, "0 too"));
}

#[test]
fn one_key_in_two_spaces() {
    model(2, || in_one_bucket(&FAIR, "0"));
}

#[test]
fn one_key_after_another_in_a_bucket() {
    model(5, || {
        let protected = Protected::new();
        let other = changer(&LOCKS, "0 too", &protected);
        drop(LOCKS.key("0").lock());
        let guard = LOCKS.key("0 too").lock();
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

#[test]
fn deflate_against_acquire() {
    model(3, || {
        let protected = Protected::new();
        let guard = LOCKS.key("0").lock();
        assert!(LOCKS.key("0").is_locked());
        let other = changer(&LOCKS, "0", &protected);
        protected.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!(protected.changes(), 2);
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

fn function_name(function: &'static Function) -> &'static str {
    site(function).function().unwrap()
}

/// A hold that is recorded with its key as the function.
fn hold(locks: &Locks, function: &'static Function) -> Guard {
    let key = function_name(function);
    let begun = locks.begin(&key, Mode::Exclusive, site(function));
    finish(begun).unwrap_or_else(|never| match never {})
}

#[test]
fn snapshot_against_acquire() {
    static EARLIER: Function = Function::new("0earlier-earlier");
    static LATER: Function = Function::new("0later--later---later");
    static OTHER: Function = Function::new("1other");
    model(5, || {
        let progress = Rc::new(AtomicU32::new(0));
        let other_bucket = hold(&LOCKS, &OTHER);
        let holder = {
            let progress = Rc::clone(&progress);
            thread::spawn(move || {
                drop(hold(&LOCKS, &EARLIER));
                progress.store(1, Ordering::Release);
                drop(hold(&FAIR, &LATER));
            })
        };
        let earlier_is_over = progress.load(Ordering::Acquire) == 1;
        let mut states = snapshot().into_iter();
        let mut found = || {
            let state = states.next()?;
            let [holder] = &state.holders[..] else {
                panic!("one holds it");
            };
            assert_eq!(holder.site().unwrap().function(), Some(state.key.as_str()));
            Some((state.space, holder.site()?.function()?))
        };
        let mut locks = [found(), found()];
        locks.sort();
        let [thread, other] = locks;
        assert_eq!(other, Some((LOCKS.name(), function_name(&OTHER))));
        match thread {
            None => {}
            Some(earlier) if earlier == (LOCKS.name(), function_name(&EARLIER)) => {
                assert!(!earlier_is_over);
            }
            Some(later) => assert_eq!(later, (FAIR.name(), function_name(&LATER))),
        }
        holder.join().unwrap();
        drop(other_bucket);
    });
}

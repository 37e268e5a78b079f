//! Every race of the engine, tried out in every order by [loom](https://docs.rs/loom).
//!
//! Run with `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p lockutils
//! --release --lib models`. In a model the table has two shards of two buckets, a key's
//! first digit says which of them it is in, and time passes only when the model says so.

use super::{Handle, LockFuture, Locks, states, table};
use crate::__private::{Function, finish, site};
use crate::error::ErrorKind;
use crate::guard::{AsyncGuard, Guard};
use crate::space::{Space as _, Terms};
use crate::sync::{Instant, pass};
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
        assert!(table::is_empty() && Instant::now().elapsed().is_zero());
        run();
        assert!(table::is_empty(), "something stays behind");
    });
    println!("{} executions", executions.load(Ordering::Relaxed));
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

/// Somebody waits while somebody else comes. It is a task that is polled in time.
fn in_turn(held: Guard, newcomer: Handle<'static, &'static str>) {
    let protected = Protected::new();
    let mut waiter = FAIR.key("0").lock_async();
    assert!(poll_once(&mut waiter).is_pending());
    let newcomer = {
        let protected = protected.clone();
        thread::spawn(move || {
            let _guard = newcomer.lock();
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
    model(5, || in_turn(FAIR.key("0").lock(), FAIR.key("0")));
}

#[test]
fn shared_newcomer_against_exclusive_waiter() {
    let shared = || FAIR.key("0").shared();
    model(5, move || in_turn(shared().lock(), shared()));
}

#[test]
fn deadlock_against_deadlock() {
    model(5, || {
        let take = |first, second| {
            move || {
                let _first = LOCKS.key(first).lock();
                match LOCKS.key(second).lock_timeout(Duration::MAX) {
                    Ok(_second) => 0,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Deadlock);
                        1
                    }
                }
            }
        };
        let other = thread::spawn(take("0", "1"));
        let found = take("1", "0")();
        assert!(found + other.join().unwrap() <= 1, "one was enough");
    });
}

#[test]
fn overtaking_ends() {
    model(2, || {
        let protected = Protected::new();
        let guard = LOCKS.key("0").lock();
        let waiters = [(); 2].map(|()| changer(&LOCKS, "0", &protected));
        protected.change();
        pass(PATIENCE);
        drop(guard);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(protected.changes(), 3);
    });
}

#[test]
fn two_keys_in_one_bucket() {
    model(2, || {
        let [one, two] = [(); 2].map(|()| Protected::new());
        let guard = LOCKS.key("0").lock();
        let others = [changer(&LOCKS, "0", &one), changer(&LOCKS, "0 too", &two)];
        let [other, too] = others;
        too.join().unwrap();
        one.change();
        drop(guard);
        other.join().unwrap();
        assert_eq!((one.changes(), two.changes()), (2, 1));
    });
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
    model(3, || {
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

/// Both who wait are let in by one release.
fn meet(locks: &'static Locks, held: impl Sized, shared: bool) {
    let meeting = Meeting::of(2);
    let waiters = [(); 2].map(|()| {
        let meeting = Rc::clone(&meeting);
        thread::spawn(move || {
            let key = locks.key("0");
            let key = if shared { key.shared() } else { key };
            let _guard = key.lock();
            meeting.attend();
        })
    });
    drop(held);
    for waiter in waiters {
        waiter.join().unwrap();
    }
}

#[test]
fn shared_waiters_get_in_together() {
    model(3, || meet(&LOCKS, LOCKS.key("0").lock(), true));
}

#[test]
fn shared_waiters_get_in_together_fair() {
    model(3, || meet(&FAIR, FAIR.key("0").lock(), true));
}

#[test]
fn permits_are_all_given() {
    model(3, || {
        let both = [(); 2].map(|()| COUNTED.key("0").lock());
        meet(&COUNTED, both, false);
    });
}

#[test]
fn permits_bound() {
    model(3, || {
        let inside = Rc::new(AtomicU32::new(0));
        let section = |inside: Rc<AtomicU32>| {
            move || {
                let _guard = COUNTED.key("0").lock();
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
    });
}

fn function_name(function: &'static Function) -> &'static str {
    site(function).function().unwrap()
}

/// A hold that is recorded with its key as the function.
fn hold(locks: &Locks, function: &'static Function) -> Guard {
    let key = function_name(function);
    let begun = locks.begin(&key, Terms::EXCLUSIVE, site(function));
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
        let mut states = states(|_| true).into_iter();
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

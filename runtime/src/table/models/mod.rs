//! Every race of the engine, tried out in every order by [loom](https://docs.rs/loom).
//!
//! Run with `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p lockutils
//! --release --lib models`. In a model the table has two shards of two buckets, a key's
//! first digit says which of them it is in, and time passes only when the model says so.
//!
//! # What they catch
//!
//! Each of the changes that a file lists was made alone, and the model named beside it, of
//! whichever file, is one that failed then. "Relaxed" says that the ordering was weakened to that.
//!
//! Some changes no model can catch, since nothing but speed depends on them: what a hint
//! answers; that only thin holds try to be released by the bucket, which an entry keeps
//! inflated; that `complete` is cleared only where the bucket becomes free; that newcomers
//! and waiters may overtake at all. A fair lock has two guards of its order, that it is
//! handed over and that nobody may overtake, of which one alone is enough.
//!
//! Others are no matter of a race, and `tests` has them: what a waker does when it is called
//! or dropped, which of several threads is told, which owners are stuck beside others that
//! aren't, suspicions and the names of tasks in them. The numbers of spaces and threads, and the
//! seeds of the hash, are not modelled; nor is a task that waits in one branch when another one
//! gets a lock, for whom a new holder of a crowd is a suspect.

mod ajar;
mod blame;
mod bucket;
mod deadlock;
mod driver;
mod exact;
mod joins;
mod queue;
mod recording;
mod rest;

use crate::future::LockFuture;
use crate::guard::AsyncGuard;
use crate::handle::Handle;
use crate::local::Locks;
use crate::sync::Instant;
use crate::{graph, table};
use loom::cell::Cell;
use loom::model::Builder;
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

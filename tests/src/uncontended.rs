//! Locks that nobody else wants, taken and let go in every way that is to cost nothing
//! but a few instructions.

use lockutils::{Error, Locks, synchronized};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How often a case is to be run, to be counted.
pub const ROUNDS: u32 = 10_000;

static LOCKS: Locks = Locks::new("uncontended");
static FAIR: Locks = Locks::new("uncontended and fair").fair();

/// A key of 64 bytes, the most that costs no allocation.
const LONG: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The ways, by name.
pub const CASES: &[(&str, fn())] = &[
    ("guard", || drop(LOCKS.key("2f1c").lock())),
    ("guard, 64 bytes", || drop(LOCKS.key(LONG).lock())),
    ("guard, integer", || drop(LOCKS.key(u64::MAX).lock())),
    ("guard, tuple", || drop(LOCKS.key(("vm", 7, "a/b%")).lock())),
    ("guard, fair", || drop(FAIR.key("2f1c").lock())),
    ("guard, process-wide", || drop(lockutils::lock("2f1c"))),
    ("try", || drop(LOCKS.key("2f1c").try_lock().unwrap())),
    ("timeout", || {
        drop(
            LOCKS
                .key("2f1c")
                .lock_timeout(Duration::from_secs(1))
                .unwrap(),
        );
    }),
    ("timeout of zero", || {
        drop(LOCKS.key("2f1c").lock_timeout(Duration::ZERO).unwrap());
    }),
    ("reentrant", || drop(LOCKS.key("2f1c").reentrant().lock())),
    ("async", || drop(poll(LOCKS.key("2f1c").lock_async()))),
    ("async, tuple", || {
        drop(poll(LOCKS.key(("vm", 7)).lock_async()));
    }),
    ("async, timeout", || {
        let wait = LOCKS.key("2f1c").lock_timeout_async(Duration::from_secs(1));
        drop(poll(wait).unwrap());
    }),
    ("attribute", || assert_eq!(keyed("2f1c"), 4)),
    ("attribute, tuple", || assert_eq!(of_tuple("vm", 7), 9)),
    ("attribute, literal", literal),
    ("attribute, captures", || assert_eq!(captures(7), 8)),
    ("attribute, no key", alone),
    ("attribute, async", || {
        assert_eq!(poll(keyed_async("2f1c")), 4);
    }),
    ("attribute, async, no key", || poll(alone_async())),
    ("attribute, timeout", || in_time("2f1c").unwrap()),
    ("attribute, try, condition", || assert!(tried("2f1c", true))),
    ("attribute, reentrant, guard", again),
    ("attribute, async, timeout", || {
        poll(in_time_async("2f1c", Duration::from_secs(1))).unwrap();
    }),
    ("attribute, async, try, condition", || {
        assert!(poll(tried_async("2f1c", true)));
    }),
];

/// The result of a future that has nothing to wait for.
fn poll<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nobody holds the lock"),
    }
}

#[synchronized(key = id, locks = LOCKS)]
fn keyed(id: &str) -> usize {
    id.len()
}

#[synchronized(key = (kind, id))]
fn of_tuple(kind: &str, id: usize) -> usize {
    kind.len() + id
}

#[synchronized("a literal")]
fn literal() {}

#[synchronized("vm-{id}")]
fn captures(id: u32) -> u32 {
    id + 1
}

#[synchronized]
fn alone() {}

#[synchronized(key = id)]
async fn keyed_async(id: &str) -> usize {
    id.len()
}

#[synchronized]
async fn alone_async() {}

#[synchronized(key = id, acquire_timeout = "1s")]
fn in_time(id: &str) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = id, nonblocking, or_else = |_| false, when = locked)]
fn tried(id: &str, locked: bool) -> bool {
    true
}

#[synchronized("again", reentrant, guard = guard)]
fn again() {
    drop(guard);
}

#[synchronized(key = id, acquire_timeout = timeout)]
async fn in_time_async(id: &str, timeout: Duration) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = id, nonblocking, or_else = |_| false, when = locked)]
async fn tried_async(id: &str, locked: bool) -> bool {
    true
}

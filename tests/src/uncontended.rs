//! Locks that nobody else wants, taken and let go in every way: on the fast path, which is
//! to cost nothing but a few instructions, and [`BEYOND`] it.

use lockutils::{Error, LockKey, Locks, synchronized};
use std::array;
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use uuid::Uuid;

/// How often a case is to be run, to be counted.
pub const ROUNDS: u32 = 10_000;

/// The same of those [`BEYOND`], which take longer.
pub const BEYOND_ROUNDS: u32 = 500;

static LOCKS: Locks = Locks::new("uncontended");
static FAIR: Locks = Locks::new("uncontended and fair").fair();
static COUNTED: Locks = Locks::new("uncontended and counted").permits(4);

#[derive(LockKey)]
struct Id(u64);

#[derive(LockKey)]
struct Vm {
    host: &'static str,
    id: Id,
}

/// A key of 64 bytes, the most that costs no allocation.
const LONG: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const UUID: Uuid = Uuid::from_u128(0x2f1c_83b1_4d6e_9f27_0123_4567_89ab_cdef);

/// The ways of the fast path, by name.
pub const CASES: &[(&str, fn())] = &[
    ("guard", || drop(LOCKS.key("2f1c").lock())),
    ("guard, 64 bytes", || drop(LOCKS.key(LONG).lock())),
    ("guard, integer", || drop(LOCKS.key(u64::MAX).lock())),
    ("guard, negative integer", || {
        drop(LOCKS.key(i128::MIN).lock());
    }),
    ("guard, UUID", || drop(LOCKS.key(UUID).lock())),
    ("guard, derived newtype", || drop(LOCKS.key(Id(7)).lock())),
    ("guard, derived struct", || {
        let vm = Vm {
            host: "node/1",
            id: Id(7),
        };
        drop(LOCKS.key(vm).lock());
    }),
    ("guard, format", || {
        let id = black_box(7);
        drop(LOCKS.key(format_args!("vm-{id}")).lock());
    }),
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
    ("re-entry", || {
        let reentrant = LOCKS.key("2f1c").reentrant();
        let _both = [reentrant.lock(), reentrant.lock()];
    }),
    ("re-entry, try, timeout", || {
        let reentrant = LOCKS.key("2f1c").reentrant();
        let outer = reentrant.lock();
        drop([
            reentrant.try_lock().unwrap(),
            reentrant.lock_timeout(SECOND).unwrap(),
        ]);
        drop(outer);
    }),
    ("re-entry, fair, shared", || {
        let reentrant = FAIR.key("2f1c").reentrant();
        let _outer = reentrant.lock();
        let _inner = FAIR.key("2f1c").shared().reentrant().lock();
    }),
    ("async", || drop(poll(LOCKS.key("2f1c").lock_async()))),
    ("async, tuple", || {
        drop(poll(LOCKS.key(("vm", 7)).lock_async()));
    }),
    ("async, timeout", || {
        let wait = LOCKS.key("2f1c").lock_timeout_async(Duration::from_secs(1));
        drop(poll(wait).unwrap());
    }),
    ("attribute", || assert_eq!(keyed("2f1c"), 4)),
    ("attribute, UUID", || of_uuid(UUID)),
    ("attribute, tuple", || assert_eq!(of_tuple("vm", 7), 9)),
    ("attribute, literal", literal),
    ("attribute, captures", || assert_eq!(captures(7), 8)),
    ("attribute, captures of every kind", || {
        all_captures("a", -7, 'c', true);
    }),
    ("attribute, captures with a format", || padded(7)),
    ("attribute, derived newtype", || of_newtype(&Id(7))),
    ("attribute, async, captures", || poll(captures_async(7))),
    ("attribute, no key", alone),
    ("attribute, async", || {
        assert_eq!(poll(keyed_async("2f1c")), 4);
    }),
    ("attribute, async, no key", || poll(alone_async())),
    ("attribute, timeout", || in_time("2f1c").unwrap()),
    ("attribute, try, condition", || assert!(tried("2f1c", true))),
    ("attribute, reentrant, guard", again),
    ("attribute, re-entry", || {
        let _outer = lockutils::lock("again");
        again();
    }),
    ("attribute, async, timeout", || {
        poll(in_time_async("2f1c", Duration::from_secs(1))).unwrap();
    }),
    ("attribute, async, try, condition", || {
        assert!(poll(tried_async("2f1c", true)));
    }),
    ("shared", || drop(LOCKS.key("2f1c").shared().lock())),
    ("shared, fair", || drop(FAIR.key("2f1c").shared().lock())),
    ("shared, try", || {
        drop(LOCKS.key("2f1c").shared().try_lock().unwrap());
    }),
    ("shared, timeout", || {
        drop(LOCKS.key("2f1c").shared().lock_timeout(SECOND).unwrap());
    }),
    ("shared, async", || {
        drop(poll(LOCKS.key("2f1c").shared().lock_async()));
    }),
    ("permits", || drop(COUNTED.key("2f1c").lock())),
    ("permits, shared", || {
        drop(COUNTED.key("2f1c").shared().lock());
    }),
    ("permits, try", || {
        drop(COUNTED.key("2f1c").try_lock().unwrap());
    }),
    ("permits, timeout", || {
        drop(COUNTED.key("2f1c").lock_timeout(SECOND).unwrap());
    }),
    ("permits, async", || {
        drop(poll(COUNTED.key("2f1c").lock_async()));
    }),
    ("permits, async, timeout", || {
        drop(poll(COUNTED.key("2f1c").lock_timeout_async(SECOND)).unwrap());
    }),
    ("attribute, shared", shared),
    ("attribute, permits", counted),
    ("attribute, permits, async", || poll(counted_async())),
    ("shared, by nine", || {
        let _all: [_; 9] = array::from_fn(|_| LOCKS.key("2f1c").shared().lock());
    }),
    ("shared, beside another, try, timeout, fair", || {
        let shared = FAIR.key("2f1c").shared();
        let first = shared.lock();
        drop([
            shared.try_lock().unwrap(),
            shared.lock_timeout(SECOND).unwrap(),
        ]);
        drop(first);
    }),
    ("shared, beside another, async", || {
        let _first = LOCKS.key("2f1c").shared().lock();
        drop(poll(LOCKS.key("2f1c").shared().lock_async()));
    }),
    ("permits, all", || {
        let _all: [_; 4] = array::from_fn(|_| COUNTED.key("2f1c").lock());
    }),
    ("permits, beside another, async", || {
        let _first = COUNTED.key("2f1c").lock();
        drop(poll(COUNTED.key("2f1c").lock_async()));
    }),
    ("attribute, shared, beside another", || {
        let _first = LOCKS.key("2f1c").shared().lock();
        shared();
    }),
    ("attribute, permits, beside another", || {
        let _first = COUNTED.key("2f1c").lock();
        counted();
        poll(counted_async());
    }),
];

/// The ways that the fast path has no place for, by name. They may allocate; but there is
/// room for them, so they have nothing to wait for either.
pub const BEYOND: &[(&str, fn())] = &[
    ("65 bytes", || drop(LOCKS.key((LONG, "")).lock())),
    ("65 bytes, async", || {
        drop(poll(LOCKS.key((LONG, "")).lock_async()));
    }),
    ("shared, by more than join", || {
        let _all: [_; 12] = array::from_fn(|_| LOCKS.key("2f1c").shared().lock());
    }),
    ("keys", || drop(LOCKS.keys(["2f1c", "81d0"]).lock())),
    ("keys, shared", || {
        drop(LOCKS.keys(["2f1c", "81d0"]).shared().lock());
    }),
    ("keys, permits", || {
        drop(COUNTED.keys(["2f1c", "81d0"]).lock());
    }),
    ("keys, try", || {
        drop(LOCKS.keys(["2f1c", "81d0"]).try_lock().unwrap());
    }),
    ("keys, async", || {
        drop(poll(LOCKS.keys(["2f1c", "81d0"]).lock_async()));
    }),
    ("attribute, keys", || several(&[7, 3])),
    ("attribute, re-entry", twice),
    ("beside other keys", || {
        drop(crowd().map(|key| LOCKS.key(key).lock()));
    }),
    ("beside other keys, fair", || {
        drop(crowd().map(|key| FAIR.key(key).lock()));
    }),
    ("beside other keys, try", || {
        drop(crowd().map(|key| LOCKS.key(key).try_lock().unwrap()));
    }),
    ("beside other keys, timeout", || {
        drop(crowd().map(|key| LOCKS.key(key).lock_timeout(SECOND).unwrap()));
    }),
    ("beside other keys, async", || {
        drop(crowd().map(|key| poll(LOCKS.key(key).lock_async())));
    }),
    ("beside other keys, attribute", || crowded(&crowd())),
];

const SECOND: Duration = Duration::from_secs(1);

/// Keys that are new each time, and enough to be held at once that in a hundred rounds ten
/// times one finds another in its place of the fast path, which is one of 4096.
fn crowd() -> [u64; 32] {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    array::from_fn(|_| NEXT.fetch_add(1, Ordering::Relaxed))
}

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

#[synchronized(key = id)]
fn of_uuid(id: Uuid) {}

#[synchronized("a literal")]
fn literal() {}

#[synchronized("vm-{id}")]
fn captures(id: u32) -> u32 {
    id + 1
}

#[synchronized("{name}/{number}/{sign}/{is_on}")]
fn all_captures(name: &str, number: i64, sign: char, is_on: bool) {}

#[synchronized("vm-{id:04}")]
fn padded(id: u32) {}

#[synchronized(key = id)]
fn of_newtype(id: &Id) {}

#[synchronized("vm-{id}")]
async fn captures_async(id: u32) {}

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

#[synchronized(key = "2f1c", locks = LOCKS, shared)]
fn shared() {}

#[synchronized(key = "2f1c", locks = COUNTED)]
fn counted() {}

#[synchronized(key = "2f1c", locks = COUNTED)]
async fn counted_async() {}

#[synchronized(keys = ids)]
fn several(ids: &[u32]) {}

#[synchronized("twice", reentrant)]
fn twice() {
    twice_inside();
}

#[synchronized("twice", reentrant)]
fn twice_inside() {}

/// Holds all of the keys at once.
fn crowded(keys: &[u64]) {
    #[synchronized(key = keys[0], locks = LOCKS)]
    fn hold_first(keys: &[u64]) {
        crowded(&keys[1..]);
    }
    if !keys.is_empty() {
        hold_first(keys);
    }
}

#[synchronized(key = id, acquire_timeout = timeout)]
async fn in_time_async(id: &str, timeout: Duration) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = id, nonblocking, or_else = |_| false, when = locked)]
async fn tried_async(id: &str, locked: bool) -> bool {
    true
}

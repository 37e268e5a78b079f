//! Models of a lock that is [ajar](crate::table::ajar): the fast path is open, and a thread is on its way that was called.
//!
//! | in the mechanism | caught by |
//! |---|---|
//! | `leave`: with a holder | `lock_that_somebody_still_shares_is_not` |
//! | `leave`: with several permits | `lock_with_permits_is_not` |
//! | `leave`: where a task was called | `lock_that_a_task_is_called_for_is_not` |
//! | `leave`: beside another entry, or while somebody listens to holds | `lock_beside_another_one_is_not`, `lock_that_is_recorded_is_not` |
//! | `leave`: the bucket's tickets kept | `another_key_of_the_hash` |
//! | `end`: another lock of the hash taken for this one | `another_key_of_the_hash` |
//! | `end`: a reservation too many | `called_one_finds_it_held` |
//! | `end`: the record never complete | `rests_afterwards` |
//! | `end`: no tickets of the bucket | `called_one_finds_it_held` |
//! | `end`: a holder without a time | `looks_at_it` |
//! | `end_ajar`: once more at the next look; without a reservation | `called_one_finds_it_held` |
//! | `draw`: two entries with one number | `another_key_of_the_hash` |
//! | `is_of_hold`: the bucket's tickets taken for those of an entry without | `another_key_of_the_hash` |
//! | `retry`: the tasks that overtake not looked at, in vain or not | `cycle_by_a_task`, `cycle_by_a_task_beside_one_who_comes_in` |
//! | `leave` of a waiter: they aren't | `cycle_by_a_task_before_one_who_leaves` |

use super::{COUNTED, FAIR, LOCKS, PATIENCE, Protected, Unpark, changer, model, poll_once};
use crate::acquire::{Acquire, Won};
use crate::future::LockFuture;
use crate::graph::is_suspicious;
use crate::guard::{AsyncGuard, Guard};
use crate::local::{InProcess, Locks};
use crate::name::Keys;
use crate::site::Site;
use crate::space::Space as _;
use crate::sync::pass;
use crate::table::policy::Mode;
use crate::table::shard::bucket;
use crate::table::{Name, fast, looks};
use crate::timeline::record::Recording;
use loom::thread;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn name(key: &str) -> Name<'_> {
    Name::new(LOCKS.id(), key.as_bytes())
}

fn is_free() -> bool {
    fast::looks_free(name("0"))
}

pub(super) fn is_thin(key: &str) -> bool {
    fast::is_held_thin(name(key).hash)
}

/// The wait of a thread whose steps are taken when the model says so.
pub(super) struct Called(Acquire<InProcess>);

impl Called {
    #[track_caller]
    fn new(locks: &'static Locks, key: &str) -> Self {
        Self::of(locks, key, Mode::Exclusive)
    }

    #[track_caller]
    fn of(locks: &'static Locks, key: &str, mode: Mode) -> Self {
        Self(locks.wait(&key, mode, Site::here()))
    }

    /// Begins to wait.
    #[track_caller]
    pub(super) fn begin(locks: &'static Locks) -> Self {
        let mut called = Self::new(locks, "0");
        assert!(called.step().is_none());
        called
    }

    /// Begins, or comes for the lock.
    pub(super) fn step(&mut self) -> Option<Won<InProcess>> {
        match self.0.step_by_hand() {
            Poll::Ready(Ok(won)) => Some(won),
            Poll::Pending => None,
        }
    }
}

/// A lock that is ajar, and the wait of the thread that was called.
fn ajar() -> Called {
    let held = LOCKS.key("0").lock();
    let called = Called::begin(&LOCKS);
    assert!(!is_free());
    drop(held);
    assert!(is_free());
    called
}

/// Takes the lock by the fast path, which is open.
fn overtake() -> Guard {
    let held = LOCKS.key("0").lock();
    assert!(is_thin("0"));
    held
}

/// Others go by the fast path, until the thread comes; then it is the next one.
#[test]
fn called_one_finds_it_held() {
    model(1, || {
        let mut called = ajar();
        drop(overtake());
        assert!(is_free());
        let held = overtake();
        assert!(called.step().is_none());
        assert!(!is_thin("0"));
        drop(held);
        assert!(is_free());
        let won = called.step();
        assert!(won.is_some() && LOCKS.key("0").try_lock().is_err());
    });
}

/// Who has come too late once is handed the lock when its millisecond is over.
#[test]
fn called_one_is_handed_it_in_time() {
    model(1, || {
        let mut called = ajar();
        let held = overtake();
        pass(PATIENCE);
        assert!(called.step().is_none());
        drop(held);
        assert!(LOCKS.key("0").try_lock().is_err());
        assert!(called.step().is_some());
    });
}

#[test]
fn called_one_comes_against_acquire() {
    model(2, || {
        let protected = Protected::new();
        let held = LOCKS.key("0").lock();
        let waiter = changer(&LOCKS, "0", &protected);
        protected.change();
        drop(held);
        for _ in 0..2 {
            let _guard = LOCKS.key("0").lock();
            protected.change();
        }
        waiter.join().unwrap();
        assert_eq!(protected.changes(), 4);
    });
}

/// Nobody else calls the second one.
#[test]
fn called_one_leaves_against_acquire() {
    model(2, || {
        let protected = Protected::new();
        let called = ajar();
        let waiter = changer(&LOCKS, "0", &protected);
        let leaves = thread::spawn(move || drop(called));
        {
            let _guard = LOCKS.key("0").lock();
            protected.change();
        }
        leaves.join().unwrap();
        waiter.join().unwrap();
        assert_eq!(protected.changes(), 2);
    });
}

/// Nothing stays behind when the only one in the queue has gone.
#[test]
fn called_one_leaves() {
    model(1, || {
        drop(ajar());
        assert!(super::is_empty());
        let called = ajar();
        let held = overtake();
        drop(called);
        drop(held);
        assert!(super::is_empty());
    });
}

#[test]
fn several_threads() {
    model(2, || {
        let protected = Protected::new();
        let held = LOCKS.key("0").lock();
        let others = [(); 2].map(|()| changer(&LOCKS, "0", &protected));
        protected.change();
        drop(held);
        {
            let _guard = LOCKS.key("0").lock();
            protected.change();
        }
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(protected.changes(), 4);
    });
}

/// Those who share it by the bucket alone are all its holders.
#[test]
fn called_one_finds_it_shared() {
    model(1, || {
        let mut called = ajar();
        let shared = || LOCKS.key("0").shared();
        let holders = [(); 2].map(|()| shared().lock());
        assert!(is_thin("0"));
        assert!(called.step().is_none());
        assert_eq!(looks::holders()[0].1, 2);
        assert!(shared().try_lock().is_err());
        let [first, second] = holders;
        drop(first);
        assert!(called.step().is_none());
        drop(second);
        assert!(called.step().is_some());
    });
}

/// Another lock of the bucket, and of the same hash, is held by the bucket alone meanwhile.
#[test]
fn another_key_of_the_hash() {
    model(1, || {
        let mut called = ajar();
        let first = LOCKS.key("0 too").shared().lock();
        let second = LOCKS.key("0 too").shared().lock();
        assert!(is_thin("0 too"));
        let third = LOCKS.key("0").shared().lock();
        assert!(called.step().is_none());
        drop(first);
        let again = LOCKS.key("0").shared().try_lock();
        assert!(again.is_err());
        drop(second);
        assert!(LOCKS.key("0 too").try_lock().is_ok());
        drop(third);
        assert!(called.step().is_some());
    });
}

#[test]
fn another_key_of_the_hash_against_one_who_comes() {
    model(2, || {
        let [one, other] = [(); 2].map(|()| Protected::new());
        let held = LOCKS.key("0").lock();
        let waiter = changer(&LOCKS, "0", &one);
        let beside = changer(&LOCKS, "0 too", &other);
        one.change();
        drop(held);
        {
            let _guard = LOCKS.key("0 too").lock();
            other.change();
        }
        waiter.join().unwrap();
        beside.join().unwrap();
        assert_eq!((one.changes(), other.changes()), (2, 2));
    });
}

/// Who looks sees the holder, and since when it has it at least; and the lock is ajar again after the next hold.
#[test]
fn looks_at_it() {
    model(1, || {
        let mut called = ajar();
        assert!(!LOCKS.key("0").is_locked());
        drop(LOCKS.key("0").lock());
        assert!(is_free());
        let held = overtake();
        pass(PATIENCE);
        assert!(LOCKS.key("0").is_locked());
        assert_eq!(looks::held(Duration::from_nanos(1)).len(), 0);
        // By now it has waited for long enough to be handed it.
        drop(held);
        assert!(LOCKS.key("0").is_locked());
        assert!(called.step().is_some());
    });
}

/// A lock that was ajar is by the bucket alone again when others share it.
#[test]
fn rests_afterwards() {
    model(1, || {
        let mut called = ajar();
        let won = called.step();
        let mut waiter = LOCKS.key("0").shared().lock_async();
        assert!(poll_once(&mut waiter).is_pending());
        drop(won);
        let first = poll_once(&mut waiter);
        assert!(first.is_ready());
        let second = LOCKS.key("0").shared().lock();
        drop(first);
        assert!(is_thin("0"));
        let third = LOCKS.key("0").shared().lock();
        assert!(is_thin("0"));
        drop((second, third));
    });
}

fn is_ajar() -> bool {
    bucket(name("0").hash).is_ajar()
}

/// Whether a lock is left ajar by who has it like this, if a thread waits.
fn leaves_ajar<G>(locks: &'static Locks, held: G) -> bool {
    let mut called = Called::begin(locks);
    drop(held);
    let is_ajar = is_ajar();
    drop(called.step());
    is_ajar
}

#[test]
fn fair_lock_is_not() {
    model(1, || {
        assert!(leaves_ajar(&LOCKS, LOCKS.key("0").lock()));
        assert!(!leaves_ajar(&FAIR, FAIR.key("0").lock()));
    });
}

#[test]
fn lock_with_permits_is_not() {
    model(1, || {
        let both = [(); 2].map(|()| COUNTED.key("0").lock());
        assert!(!leaves_ajar(&COUNTED, both));
    });
}

#[test]
fn lock_that_is_recorded_is_not() {
    model(1, || {
        let held = LOCKS.key("0").lock();
        let mut called = Called::begin(&LOCKS);
        let recording = Recording::begin(1, Keys::Plain);
        drop(held);
        assert!(!is_ajar());
        drop(called.step());
        drop(recording);
    });
}

/// Those behind it would wait for as long as it doesn't come.
#[test]
fn lock_that_a_task_is_called_for_is_not() {
    model(1, || {
        let held = LOCKS.key("0").lock();
        let mut waiter = LOCKS.key("0").lock_async();
        assert!(poll_once(&mut waiter).is_pending());
        drop(held);
        assert!(!is_ajar());
    });
}

#[test]
fn lock_that_somebody_still_shares_is_not() {
    model(1, || {
        let [one, other] = [(); 2].map(|()| LOCKS.key("0").shared().lock());
        assert!(!leaves_ajar(&LOCKS, one));
        drop(other);
    });
}

/// The bucket's tickets would go to an entry of which it isn't known that it may have them.
#[test]
fn lock_beside_another_one_is_not() {
    model(1, || {
        let beside = LOCKS.key("0 too").lock();
        assert!(!leaves_ajar(&LOCKS, LOCKS.key("0").lock()));
        drop(beside);
    });
}

/// A task, and what it does in each of its branches.
struct Branches(Waker);

impl Branches {
    fn new() -> Self {
        Self(Waker::from(Arc::new(Unpark(thread::current()))))
    }

    fn poll(&self, mut branch: LockFuture<InProcess>) -> (LockFuture<InProcess>, Poll<AsyncGuard>) {
        let polled = Pin::new(&mut branch).poll(&mut Context::from_waker(&self.0));
        (branch, polled)
    }
}

/// A task takes the lock, and another of its branches waits for what the thread has.
#[test]
fn cycle_by_a_task() {
    model(1, || {
        let of_thread = Called::new(&LOCKS, "1").step();
        assert!(of_thread.is_some());
        let task = Branches::new();
        let branch = |key| task.poll(LOCKS.key(key).lock_async());
        let (waits, pending) = branch("1");
        assert!(pending.is_pending());
        // Later: who looks whether the task closes a cycle by its wait would end the state.
        let mut called = ajar();
        let (_, has) = branch("0");
        assert!(has.is_ready() && is_thin("0") && !is_suspicious());
        assert!(called.step().is_none());
        assert!(is_suspicious());
        drop((waits, has));
    });
}

/// The same of what another task has, which waits behind the thread; and the thread comes in, or leaves.
fn cycle_behind(called_one: impl Fn(Called) -> Option<Called> + Send + Sync + 'static) {
    model(1, move || {
        let [task, behind] = [(); 2].map(|()| Branches::new());
        let lock = |key| LOCKS.key(key).lock_async();
        let (_, of_behind) = behind.poll(lock("1"));
        let (waits, pending) = task.poll(lock("1"));
        assert!(of_behind.is_ready() && pending.is_pending());
        let held = LOCKS.key("0").lock();
        let mut called = Called::of(&LOCKS, "0", Mode::Shared);
        assert!(called.step().is_none());
        let (waits_behind, pending) = behind.poll(lock("0"));
        assert!(pending.is_pending());
        drop(held);
        let (_, has) = task.poll(LOCKS.key("0").shared().lock_async());
        assert!(has.is_ready() && is_thin("0") && !is_suspicious());
        let called = called_one(called);
        assert!(is_suspicious());
        drop((waits, waits_behind, has, called, of_behind));
    });
}

#[test]
fn cycle_by_a_task_beside_one_who_comes_in() {
    cycle_behind(|mut called| {
        assert!(called.step().is_some());
        Some(called)
    });
}

#[test]
fn cycle_by_a_task_before_one_who_leaves() {
    cycle_behind(|called| {
        drop(called);
        None
    });
}

//! Tasks that wait for another process.

use super::{holder, number};
use futures::FutureExt as _;
use lockutils::{Error, ErrorKind, FileLocks, synchronized};
use lockutils_tests::{ByHand, Directory, eventually};
use std::future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;

const KEY: &str = "key";

#[test]
fn dropped_waiter_gives_back_what_the_kernel_grants_it() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let (mut first, mut second) = (holder(&directory), holder(&directory));
    for timeout in [None, Some(Duration::from_hours(1))] {
        first.ask_for("lock key", "held");
        let mut wait = ByHand::new(match timeout {
            None => locks.key(KEY).lock_async().left_future(),
            Some(timeout) => locks.key(KEY).lock_timeout_async(timeout).right_future(),
        });
        assert!(wait.poll().is_pending());
        drop(wait);
        second.tell("lock key");
        first.ask_for("release", "released");
        second.hear_of("held");
        second.ask_for("release", "released");
        drop(locks.key(KEY).try_lock().unwrap());
    }
}

/// Dropped after the kernel has granted it the lock, and before it has looked.
#[test]
fn waiter_dropped_when_it_was_granted_gives_back() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut first = holder(&directory);
    first.ask_for("lock key", "held");
    let mut wait = ByHand::new(locks.key(KEY).lock_async());
    assert!(wait.poll().is_pending());
    first.ask_for("release", "released");
    eventually("the waiter is woken", || wait.woken() > 0);
    first.ask_for("try key", "error Busy");
    drop(wait);
    first.ask_for("try key", "held");
}

#[test]
fn woken_waiter_has_the_lock() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut first = holder(&directory);
    for _ in 0..20 {
        first.ask_for("lock key", "held");
        let mut wait = ByHand::new(locks.key(KEY).lock_async());
        assert!(wait.poll().is_pending());
        let released = number(&first.ask_for("release", "released"));
        let guard = wait.finish().unwrap();
        assert!(lockutils_tests::now() > released);
        first.ask_for("try key", "error Busy");
        drop(guard);
    }
}

/// Tried again at once after a wait that was left, when the thread that still waits may
/// have got the lock this moment.
#[test]
fn wait_that_was_left_makes_no_later_try_busy() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut first = holder(&directory);
    for _ in 0..100 {
        first.ask_for("lock key", "held");
        for shared in [false, true] {
            let key = locks.key(KEY);
            let key = if shared { key.shared() } else { key };
            let mut wait = ByHand::new(key.lock_async());
            assert!(wait.poll().is_pending());
        }
        first.ask_for("release", "released");
        drop(locks.key(KEY).try_lock().unwrap());
        drop(locks.key(KEY).shared().try_lock().unwrap());
    }
}

#[test]
fn timeout_is_kept_while_the_kernel_waits() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut first = holder(&directory);
    first.ask_for("lock key", "held");
    let timeout = Duration::from_millis(30);
    let error = pollster::block_on(locks.key(KEY).lock_timeout_async(timeout)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.waited() >= timeout);
    assert_eq!(error.holder().unwrap().pid(), Some(first.id()));
    first.ask_for("release", "released");
    drop(locks.key(KEY).try_lock().unwrap());
}

/// A task that waits for another process lets those beside it run, on one thread.
#[test]
fn waiter_does_not_stall_its_executor() {
    let directory = Directory::new();
    let locks = Arc::new(FileLocks::new(&*directory));
    let mut first = holder(&directory);
    first.ask_for("lock key", "held");
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let waiters: Vec<_> = (0..10)
            .map(|_| {
                let locks = Arc::clone(&locks);
                tokio::spawn(async move { locks.key(KEY).lock_async().await.map(drop) })
            })
            .collect();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
        first.ask_for("release", "released");
        for waiter in waiters {
            waiter.await.unwrap().unwrap();
        }
    });
    first.ask_for("try key", "held");
}

#[test]
fn runtime_that_shuts_down_leaves_nothing_locked() {
    let directory = Directory::new();
    let locks = Arc::new(FileLocks::new(&*directory));
    let (mut first, mut second) = (holder(&directory), holder(&directory));
    first.ask_for("lock key", "held");
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    for _ in 0..5 {
        let locks = Arc::clone(&locks);
        runtime.spawn(async move {
            let _guard = locks.key(KEY).lock_async().await;
            future::pending::<()>().await;
        });
    }
    let waits = || {
        let states = lockutils::snapshot().into_iter();
        let mut of_this = states.filter(|lock| lock.space == directory.to_str().unwrap());
        of_this.any(|lock| lock.waiters == 5)
    };
    eventually("one waits in the kernel, the others for it", waits);
    second.tell("lock key");
    runtime.shutdown_timeout(Duration::from_mins(1));
    first.ask_for("release", "released");
    second.hear_of("held");
}

/// A guard of a thread goes to a task, and one of a task to another thread.
#[test]
fn guards_may_be_sent_on() {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut other = holder(&directory);
    let guard = locks.key(KEY).lock().unwrap().into_async();
    other.ask_for("try key", "error Busy");
    std::thread::spawn(move || drop(guard)).join().unwrap();
    other.ask_for("try key", "held");
    other.ask_for("release", "released");
    let guard = locks.keys(["a", KEY]).lock().unwrap().into_async();
    other.ask_for("try key", "error Busy");
    std::thread::spawn(move || drop(guard)).join().unwrap();
    other.ask_for("keys a key", "held");
}

/// A panic leaves nothing of a future half done, so `catch_unwind` takes it as it is.
#[test]
fn futures_are_unwind_safe() {
    #[synchronized(key = KEY, external)]
    async fn annotated() -> Result<(), Error> {
        future::ready(()).await;
        Ok(())
    }
    #[synchronized(key = KEY, external, nonblocking)]
    async fn tried() -> Result<(), Error> {
        future::ready(()).await;
        Ok(())
    }
    #[synchronized(key = KEY, external, acquire_timeout = "1s")]
    async fn timed() -> Result<(), Error> {
        future::ready(()).await;
        Ok(())
    }
    fn check(_future: impl Future + UnwindSafe + RefUnwindSafe) {}
    let locks = FileLocks::new("never used");
    check(annotated());
    check(tried());
    check(timed());
    check(locks.key(KEY).lock_async());
    check(locks.key(KEY).try_lock_async());
    check(locks.keys([KEY]).lock_timeout_async(Duration::ZERO));
}

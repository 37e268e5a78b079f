//! `cancel_on_loss`, and functions whose bodies look after the loss themselves.

use lockutils::{Error, ErrorKind, synchronized};
use lockutils_tests::{ByHand, Lossy, LossyLocks, yield_now};
use std::future::pending;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::Poll;

/// A space of each test's own, since a test has all of its locks be late.
macro_rules! spaces {
    ($($name:ident)*) => {$(
        static $name: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);
    )*};
}

spaces! { DROPPED READY LATE TOLD KEYS RELEASED CONDITION LEASED GOES_ON }

fn assert_lost<T>(result: &Poll<Result<T, Error>>, key: &str) {
    let Poll::Ready(Err(error)) = result else {
        panic!("the lock was lost");
    };
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert_eq!(error.key(), Some(key));
}

/// Says when it is dropped, and whether the server has the lock still.
struct Told(Sender<(&'static str, bool)>, &'static str);

impl Drop for Told {
    fn drop(&mut self) {
        let Self(told, name) = self;
        told.send((name, DROPPED.engine().has("key"))).unwrap();
    }
}

#[test]
fn body_is_dropped_before_the_guard_and_before_the_error_is_made() {
    #[synchronized("key", locks = DROPPED, or_else = |_| drop(Told(tell.clone(), "or_else")), cancel_on_loss)]
    async fn cancelled(tell: &Sender<(&'static str, bool)>) {
        let _first = Told(tell.clone(), "first");
        let _second = Told(tell.clone(), "second");
        pending::<()>().await;
    }

    let (tell, told) = channel();
    let mut call = ByHand::new(cancelled(&tell));
    assert!(call.poll().is_pending());
    DROPPED.engine().be_late(true);
    assert!(call.poll().is_ready());
    let told: Vec<_> = told.try_iter().collect();
    assert_eq!(told, [("second", true), ("first", true), ("or_else", true)]);
    assert!(!DROPPED.engine().has("key"));
    drop(call);
}

#[test]
fn body_that_is_done_gives_its_value() {
    #[synchronized("key", locks = READY, cancel_on_loss)]
    async fn done(waits: bool) -> Result<u32, Error> {
        if waits {
            yield_now().await;
        }
        READY.engine().lose("key");
        Ok(7)
    }

    let mut call = ByHand::new(done(false));
    assert!(matches!(call.poll(), Poll::Ready(Ok(7))));
    let mut call = ByHand::new(done(true));
    assert!(call.poll().is_pending());
    assert!(matches!(call.poll(), Poll::Ready(Ok(7))));
}

/// A process that was stopped for longer than the lease: the body goes on with nothing.
#[test]
fn clock_is_looked_at_before_the_body_goes_on() {
    static STEPS: AtomicUsize = AtomicUsize::new(0);

    #[synchronized("key", locks = LATE, cancel_on_loss)]
    async fn steps() -> Result<(), Error> {
        loop {
            STEPS.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    }

    let mut call = ByHand::new(steps());
    assert!(call.poll().is_pending() && call.poll().is_pending());
    assert_eq!(STEPS.load(Ordering::Relaxed), 2);
    LATE.engine().be_late(true);
    assert_lost(&call.poll(), "key");
    assert_eq!(STEPS.load(Ordering::Relaxed), 2);
}

#[test]
fn task_is_woken_by_the_loss() {
    #[synchronized("key-{id}", locks = TOLD, acquire_timeout = "5s", cancel_on_loss)]
    async fn waits(id: u32) -> Result<(), Error> {
        pending().await
    }

    let mut call = ByHand::new(waits(1));
    let mut other = ByHand::new(waits(2));
    assert!(call.poll().is_pending() && other.poll().is_pending());
    assert!(call.poll().is_pending());
    TOLD.engine().lose("key-1");
    assert_eq!((call.woken(), other.woken()), (1, 0));
    assert_lost(&call.poll(), "key-1");
    drop(other);
    assert!(!TOLD.engine().has("key-2"), "a cancelled holder releases");
}

#[test]
fn error_has_the_key_that_is_lost() {
    #[synchronized(keys = ["c", "a", "b"], locks = KEYS, nonblocking, cancel_on_loss)]
    async fn waits() -> Result<(), Error> {
        pending().await
    }

    let mut call = ByHand::new(waits());
    assert!(call.poll().is_pending());
    let mut busy = ByHand::new(waits());
    assert!(matches!(busy.poll(), Poll::Ready(Err(error)) if error.kind() == ErrorKind::Busy));
    KEYS.engine().lose("b");
    assert_eq!(call.woken(), 1);
    assert_lost(&call.poll(), "b");
    assert!(!KEYS.engine().has("a") && !KEYS.engine().has("c"));
}

/// What the body has released by itself it can't lose.
#[test]
fn body_goes_on_that_has_released_its_guard() {
    #[synchronized("key", locks = RELEASED, guard = lease, cancel_on_loss)]
    async fn releases() -> Result<u64, Error> {
        let fence = lease.fence();
        lease.release_async().await?;
        for _ in 0..2 {
            yield_now().await;
        }
        Ok(fence.get())
    }

    let mut call = ByHand::new(releases());
    assert!(call.poll().is_pending());
    assert!(!RELEASED.engine().has("key"));
    let other = RELEASED.key("key").try_lock().unwrap();
    RELEASED.engine().lose("key");
    assert!(call.poll().is_pending());
    assert!(matches!(call.poll(), Poll::Ready(Ok(1))));
    assert!(other.is_lost());
}

#[test]
fn body_without_a_lock_loses_none() {
    #[synchronized("key", locks = CONDITION, when = is_locked, cancel_on_loss)]
    async fn yields(is_locked: bool) -> Result<bool, Error> {
        yield_now().await;
        Ok(is_locked)
    }

    let _held = CONDITION.key("key").lock().unwrap();
    let mut call = ByHand::new(yields(false));
    assert!(call.poll().is_pending());
    CONDITION.engine().lose("key");
    assert!(matches!(call.poll(), Poll::Ready(Ok(false))));
    let mut call = ByHand::new(yields(true));
    assert!(call.poll().is_pending(), "the lock in the process is held");
}

#[test]
fn body_that_loses_nothing_is_as_any_other() {
    #[synchronized("key", locks = GOES_ON, cancel_on_loss)]
    async fn yields(text: &str) -> Result<&str, Error> {
        yield_now().await;
        assert!(GOES_ON.engine().has("key"));
        Ok(text)
    }

    assert_eq!(pollster::block_on(yields("text")).unwrap(), "text");
    assert!(!GOES_ON.engine().has("key"));
    let _held = GOES_ON.key("key").lock().unwrap();
    assert!(ByHand::new(yields("text")).poll().is_pending());
}

#[test]
fn sync_body_has_the_guard() {
    #[synchronized("key", locks = LEASED, guard = lease)]
    fn looks(is_lost: bool) -> Result<u64, Error> {
        if is_lost {
            LEASED.engine().lose("key");
        }
        lease.check()?;
        Ok(lease.fence().get())
    }

    assert_eq!(looks(false).unwrap(), 1);
    assert_eq!(looks(true).unwrap_err().kind(), ErrorKind::Lost);
    assert_eq!(looks(false).unwrap(), 3);
}

/// The body is in the future once, and in no box.
#[test]
fn body_is_not_copied() {
    async fn plain(id: u32) -> Result<u32, Error> {
        let buffer = [0_u8; 1024];
        yield_now().await;
        Ok(id + u32::from(buffer[0]))
    }

    #[synchronized(key = id, locks = GOES_ON, cancel_on_loss)]
    async fn cancelled(id: u32) -> Result<u32, Error> {
        let buffer = [0_u8; 1024];
        yield_now().await;
        Ok(id + u32::from(buffer[0]))
    }

    let (plain, cancelled) = (size_of_val(&plain(7)), size_of_val(&cancelled(7)));
    assert!(cancelled <= plain + 256, "{cancelled} for {plain}");
}

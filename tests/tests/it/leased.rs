//! Guards of locks that can be lost: what they tell, when, and what their release gives.

use lockutils::engine::Refusal;
use lockutils::{AsyncLeaseGuard, Error, ErrorKind, Fence, LeaseGuard};
use lockutils_tests::{ByHand, Lossy, eventually, in_time};
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

fn assert_lost(error: &Error, key: &str) {
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert_eq!(error.space(), Some("lossy"));
    assert_eq!(error.key(), Some(key));
}

#[test]
fn guard_of_a_lock_that_is_held_says_so() {
    let locks = Lossy::locks();
    let lease: LeaseGuard = locks.key("key").lock().unwrap();
    assert!(!lease.is_lost());
    lease.check().unwrap();
    assert!(lease.valid_for() > Lossy::LEASE / 2);
    assert!(lease.valid_for() <= Lossy::LEASE);
    assert!(ByHand::new(lease.lost()).poll().is_pending());
}

#[test]
fn every_way_to_take_the_lock_gives_such_a_guard() {
    let locks = Lossy::locks();
    let key = locks.key("key");
    let long = Duration::from_secs(600);
    let block = |guard: LeaseGuard| assert!(!guard.is_lost());
    let wait = |guard: AsyncLeaseGuard| assert!(!guard.is_lost());
    block(key.lock().unwrap());
    block(key.try_lock().unwrap());
    block(key.lock_timeout(long).unwrap());
    block(key.clone().reentrant().lock().unwrap());
    wait(pollster::block_on(key.lock_async()).unwrap());
    wait(pollster::block_on(key.try_lock_async()).unwrap());
    wait(pollster::block_on(key.lock_timeout_async(long)).unwrap());
    wait(key.lock().unwrap().into_async());
    let keys = locks.keys(["key", "other"]);
    block(keys.lock().unwrap());
    wait(pollster::block_on(keys.lock_async()).unwrap());
}

#[test]
fn loss_is_told_at_once() {
    let locks = Lossy::locks();
    let lease = locks.key("key").lock().unwrap();
    let mut lost = ByHand::new(lease.lost());
    assert!(lost.poll().is_pending());
    locks.engine().lose("key");
    assert_eq!(lost.woken(), 1);
    assert!(lost.poll().is_ready());
    assert!(lease.is_lost());
    assert_eq!(lease.valid_for(), Duration::ZERO);
    let error = lease.check().unwrap_err();
    assert_lost(&error, "key");
    assert_eq!(
        error.to_string(),
        "lock \"lossy/key\" was lost: the server was told to lose it; others may have it by now, \
         so stop what it guards, and take it again"
    );
    // What was asked for later is told as well.
    assert!(ByHand::new(lease.lost()).poll().is_ready());
}

/// A process that was stopped: nobody has told it of the loss.
#[test]
fn loss_is_seen_in_the_clock() {
    let locks = Lossy::locks();
    for look in [
        |lease: &LeaseGuard| lease.is_lost(),
        |lease: &LeaseGuard| lease.check().is_err(),
        |lease: &LeaseGuard| lease.valid_for().is_zero(),
        |lease: &LeaseGuard| ByHand::new(lease.lost()).poll().is_ready(),
    ] {
        let lease = locks.key("key").lock().unwrap();
        let mut lost = ByHand::new(lease.lost());
        assert!(lost.poll().is_pending());
        locks.engine().be_late(true);
        assert!(look(&lease));
        // Whoever looks tells those who wait.
        assert_eq!(lost.woken(), 1);
        // A renewal that comes too late changes nothing.
        locks.engine().be_late(false);
        assert!(lease.is_lost());
        assert_lost(&lease.release().unwrap_err(), "key");
        assert!(!locks.engine().has("key"));
    }
}

#[test]
fn release_is_no_loss() {
    let locks = Lossy::locks();
    let ends: [fn(LeaseGuard); 3] = [
        drop,
        |lease| lease.release().unwrap(),
        |lease| {
            pollster::block_on(lease.into_async().release_async()).unwrap();
        },
    ];
    for end in ends {
        let lease = locks.key("key").lock().unwrap();
        let mut lost = ByHand::new(lease.lost());
        let (mut late, unasked) = (ByHand::new(lease.lost()), ByHand::new(lease.lost()));
        assert!(lost.poll().is_pending() && late.poll().is_pending());
        end(lease);
        // Somebody else has it and loses it, which is nothing to those.
        let other = locks.key("key").lock().unwrap();
        assert!(lost.poll().is_pending());
        locks.engine().lose("key");
        assert!(other.is_lost());
        assert_eq!(lost.woken(), 0);
        assert!(
            [lost, late, unasked]
                .iter_mut()
                .all(|lost| lost.poll().is_pending())
        );
    }
}

#[test]
fn loss_before_the_release_is_told_after_it() {
    let locks = Lossy::locks();
    let lease = locks.key("key").lock().unwrap();
    let (told, later) = (lease.lost(), lease.lost());
    locks.engine().lose("key");
    drop(lease);
    thread::spawn(|| pollster::block_on(told)).join().unwrap();
    assert!(ByHand::new(later).poll().is_ready());
}

/// Each who waits is woken, and none whose future is gone.
#[test]
fn all_who_wait_for_the_loss_are_told() {
    let locks = Lossy::locks();
    let lease = locks.key("key").lock().unwrap();
    let mut waiting: Vec<_> = (0..9).map(|_| ByHand::new(lease.lost())).collect();
    for lost in &mut waiting {
        assert!(lost.poll().is_pending());
        assert!(
            lost.poll().is_pending(),
            "its first waker is called no more"
        );
    }
    let calls = Arc::new(Uncalled);
    let waker = Waker::from(Arc::clone(&calls));
    let mut gone = Box::pin(lease.lost());
    let polled = gone.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    drop((gone, waker));
    assert_eq!(Arc::strong_count(&calls), 1, "its waker is forgotten");
    locks.engine().lose("key");
    for mut lost in waiting {
        assert_eq!(lost.woken(), 1);
        assert!(lost.poll().is_ready());
    }
}

struct Uncalled;

impl Wake for Uncalled {
    fn wake(self: Arc<Self>) {
        panic!("its future is gone");
    }
}

#[test]
fn release_waits_for_the_answer() {
    let locks = Lossy::locks();
    let server = locks.clone();
    locks.engine().be_silent();
    in_time(move || {
        let lease = locks.key("key").lock().unwrap();
        let (done, is_done) = mpsc::channel();
        let releasing = thread::spawn(move || {
            let lease = server.key("other").lock().unwrap();
            lease.release().unwrap();
            done.send(()).unwrap();
        });
        eventually("it waits", || locks.engine().unanswered() == 1);
        let mut task = ByHand::new(lease.into_async().release_async());
        assert!(task.poll().is_pending());
        assert!(is_done.try_recv().is_err());
        locks.engine().answer(&Ok(()));
        is_done.recv().unwrap();
        releasing.join().unwrap();
        assert_eq!(task.woken(), 1);
        assert!(matches!(task.poll(), Poll::Ready(Ok(()))));
    });
}

#[test]
fn release_gives_what_the_server_says() {
    let locks = Lossy::locks();
    locks.engine().be_silent();
    for refusal in [
        Refusal::lost("the server has no such lease"),
        Refusal::unavailable("the server is silent; see that it runs"),
    ] {
        let lease = pollster::block_on(locks.key("key").lock_async()).unwrap();
        let mut task = ByHand::new(lease.release_async());
        assert!(task.poll().is_pending());
        locks.engine().answer(&Err(refusal.clone()));
        let Poll::Ready(Err(error)) = task.poll() else {
            panic!("the server has answered");
        };
        assert_eq!(error.kind(), refusal.of_space("").kind());
        assert_eq!(error.key(), Some("key"));
    }
}

/// It was lost before, so there is no answer to wait for.
#[test]
fn release_of_what_is_lost_says_so() {
    let locks = Lossy::locks();
    locks.engine().be_silent();
    let lease = locks.key("key").lock().unwrap();
    locks.engine().lose("key");
    assert_lost(&lease.release().unwrap_err(), "key");
    // The task that drops its release has released.
    let lease = pollster::block_on(locks.key("key").lock_async()).unwrap();
    let mut task = ByHand::new(lease.release_async());
    assert!(task.poll().is_pending());
    drop(task);
    assert!(!locks.engine().has("key"));
}

#[test]
fn each_hold_has_a_greater_fence() {
    let locks = Lossy::locks();
    let mut last = None;
    for _ in 0..9 {
        let lease = locks.key("key").lock().unwrap();
        assert!(Some(lease.fence()) > last);
        assert_eq!(lease.fences(), [lease.fence()]);
        last = Some(lease.fence());
    }
    let fence = last.unwrap();
    assert_eq!(u64::from(fence), fence.get());
    assert_eq!(i64::try_from(fence).unwrap(), 9);
    assert_eq!(format!("{fence} {fence:?}"), "9 Fence(9)");
}

#[test]
fn keys_have_a_fence_each_in_their_order() {
    let locks = Lossy::locks();
    drop(locks.key("c").lock().unwrap());
    let lease = locks.keys(["c", "a", "b", "a"]).lock().unwrap();
    let fences: Vec<_> = lease.fences().iter().map(|fence| fence.get()).collect();
    assert_eq!(fences, [2, 3, 4]);
    assert_eq!(lease.fence().get(), 4);
    assert_eq!(
        locks.key("a").try_lock().unwrap_err().kind(),
        ErrorKind::Busy
    );
    let mut lost = ByHand::new(lease.lost());
    assert!(lost.poll().is_pending());
    locks.engine().lose("b");
    assert_eq!(lost.woken(), 1);
    assert!(lost.poll().is_ready() && lease.is_lost());
    assert_eq!(lease.valid_for(), Duration::ZERO);
    assert_lost(&lease.check().unwrap_err(), "b");
    assert_lost(&lease.release().unwrap_err(), "b");
    assert!(!["a", "b", "c"].iter().any(|key| locks.engine().has(key)));
}

/// The caller knows no order but that of the keys, and each of them has its own fence.
#[test]
fn fences_are_in_the_order_of_the_keys_and_not_of_the_engine() {
    let locks = Lossy::locks();
    let lease = locks.keys(["1z", "2a"]).lock().unwrap();
    let fences: Vec<_> = lease.fences().iter().map(|fence| fence.get()).collect();
    assert_eq!(fences, [2, 1], "the engine takes `2a` first");
    let text = format!("{lease:?}");
    let at = |part: &str| text.find(part).expect(part);
    assert!(at("1z") < at("2a") && at("Fence(2)") < at("Fence(1)"));
    locks.engine().lose("2a");
    assert_lost(&lease.check().unwrap_err(), "2a");
}

#[test]
fn no_keys_are_never_lost() {
    let locks = Lossy::locks();
    let lease = locks.keys([""; 0]).lock().unwrap();
    assert_eq!(lease.fences(), [] as [Fence; 0]);
    assert_eq!(lease.fence().get(), 0);
    assert_eq!(lease.valid_for(), Duration::MAX);
    assert!(!lease.is_lost());
    lease.release().unwrap();
}

/// Those who have the lock together have one hold, and one fence.
#[test]
fn hold_that_is_lost_is_given_to_nobody_else() {
    let locks = Lossy::locks();
    let enter = || locks.key("key").reentrant().lock();
    let (first, second) = (enter().unwrap(), enter().unwrap());
    assert_eq!(first.fence(), second.fence());
    let mut of_the_first = ByHand::new(first.lost());
    assert!(of_the_first.poll().is_pending());
    first.release().expect("the other has it still");
    assert!(locks.engine().has("key"));
    locks.engine().lose("key");
    assert!(of_the_first.poll().is_pending(), "it is released");
    assert!(second.is_lost());
    assert_lost(&enter().unwrap_err(), "key");
    assert_lost(&second.release().unwrap_err(), "key");
    drop(enter().unwrap());
}

#[test]
fn sent_guards_tell_of_the_loss_elsewhere() {
    let locks = Lossy::locks();
    let lease = locks.key("key").lock().unwrap().into_async();
    locks.engine().lose("key");
    assert!(thread::spawn(move || lease.is_lost()).join().unwrap());
}

/// As the server's thread does, while the holder releases.
#[test]
fn loss_and_release_may_come_at_once() {
    let locks = Lossy::locks();
    in_time(move || {
        for _ in 0..200 {
            let lease = pollster::block_on(locks.key("key").lock_async()).unwrap();
            let mut lost = ByHand::new(lease.lost());
            let _ = lost.poll();
            let server = locks.clone();
            let loser = thread::spawn(move || server.engine().lose_if_held("key"));
            let released = pollster::block_on(lease.release_async());
            let was_held = loser.join().unwrap();
            if lost.poll().is_ready() {
                assert!(was_held);
                assert_lost(&released.unwrap_err(), "key");
            }
        }
    });
}

#[test]
fn debug_shows_lock_and_lease() {
    let locks = Lossy::locks();
    let lease = locks.key("key").lock().unwrap();
    locks.engine().lose("key");
    let text = format!("{lease:?}");
    assert!(
        text.starts_with("Leased { space: \"lossy\", key: \"key\", site: "),
        "{text}"
    );
    assert!(text.ends_with(", fence: 1, valid_for: 0ns }"), "{text}");
    assert!(format!("{:?}", lease.lost()).starts_with("Lost { space: \"lossy\""));
    let lease = locks.keys(["key, a", "key, b"]).lock().unwrap();
    let text = format!("{lease:?}");
    assert!(text.contains("fences: [Fence(2), Fence(3)]"), "{text}");
}

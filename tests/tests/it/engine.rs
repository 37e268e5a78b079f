//! Engines as other crates write them: what they may do, and what becomes of it if one of them
//! does what it may not.

use lockutils::engine::{
    Answer, Ask, By, Engine, InUse, Patience, Pause, Places, Queued, Refusal, Sharable,
};
use lockutils::{Error, ErrorKind, Guard, Holder, Key};
use lockutils_tests::{ByHand, in_time};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

type Step = Poll<Result<Answer<Hold>, Refusal>>;
type Place = InUse<()>;

/// An engine whose step is a function. The lock is in no one's way outside.
struct Scripted<F> {
    places: Places<()>,
    step: F,
}

/// Calls the function when it is dropped.
struct Hold(fn());

impl Drop for Hold {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Who has the lock outside, where it isn't this process.
const STRANGER: u32 = 4711;

/// The lock, if all goes well.
fn granted() -> Step {
    Poll::Ready(Ok(Answer::Granted(Hold(|| ()))))
}

fn space<F>(step: F) -> Queued<Scripted<F>>
where
    F: Fn(&Place, &mut Pause, &Ask<'_>, &By<'_>) -> Step + Send + Sync + 'static,
{
    let places = Places::new("scripted");
    Queued::new(Scripted { places, step })
}

impl<F> fmt::Debug for Scripted<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl<F> Engine for Scripted<F>
where
    F: Fn(&Place, &mut Pause, &Ask<'_>, &By<'_>) -> Step + Send + Sync + 'static,
{
    type Place = Place;
    type Wait = Pause;
    type Hold = Hold;
    type Proof = ();

    fn name(&self) -> &'static str {
        "scripted"
    }

    fn locate(&self, key: &Key) -> Result<Key, Refusal> {
        match key.as_str() {
            "" => Err(Refusal::invalid_key("it is empty; name something")),
            _ => Ok(key.clone()),
        }
    }

    fn place(&self, name: &Key) -> Result<Place, Refusal> {
        Ok(self.places.of(name, || ()))
    }

    fn poll(&self, place: &mut Place, pause: &mut Pause, ask: &Ask<'_>, by: &By<'_>) -> Step {
        (self.step)(place, pause, ask, by)
    }

    fn proof(_hold: &Hold) {}

    fn wakes_at(&self, pause: &Pause) -> Option<Instant> {
        pause.end()
    }

    fn holder(&self, _place: &Place) -> Option<Holder> {
        Some(Holder::of_process(STRANGER))
    }
}

/// As far as it is asked here.
impl<F> Sharable for Scripted<F> {}

#[test]
fn answer_to_a_try_may_take_its_time() {
    let locks = space(|_, pause, _, by| {
        assert_eq!(by.patience(), Patience::Try);
        if pause.end().is_none() {
            *pause = Pause::of(Duration::from_millis(5));
        }
        ready!(pause.poll(by));
        granted()
    });
    in_time(move || {
        drop(locks.key("key").try_lock().unwrap());
        drop(locks.keys(["one", "two"]).try_lock().unwrap());
        drop(pollster::block_on(locks.key("key").try_lock_async()).unwrap());
        drop(pollster::block_on(locks.keys(["one", "two"]).try_lock_async()).unwrap());
    });
}

#[test]
fn pause_may_have_no_end() {
    let locks = space(|_, pause, _, by| {
        *pause = Pause::of(Duration::MAX);
        ready!(pause.poll(by));
        granted()
    });
    let soon = Duration::from_millis(5);
    let timed_out = |error: Error| assert_eq!(error.kind(), ErrorKind::Timeout);
    in_time(move || {
        timed_out(locks.key("key").lock_timeout(soon).unwrap_err());
        let wait = locks.key("key").lock_timeout_async(soon);
        timed_out(pollster::block_on(wait).unwrap_err());
        assert!(
            ByHand::new(locks.key("key").lock_async())
                .poll()
                .is_pending()
        );
    });
}

#[test]
fn engine_that_is_busy_for_who_waits_is_stopped() {
    let locks = space(|_, _, _, _| Poll::Ready(Ok(Answer::Busy)));
    in_time(move || {
        let busy = locks.key("key").try_lock().unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::Busy);
        assert_eq!(busy.holder().unwrap().pid(), Some(STRANGER));
        let late = locks.key("key").lock_timeout(Duration::ZERO).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Timeout, "it is one try");
        let wait = || locks.key("key").lock_timeout(Duration::MAX).map(drop);
        assert!(catch_unwind(AssertUnwindSafe(wait)).is_err());
        let wait = || drop(ByHand::new(locks.key("key").shared().lock_async()).poll());
        assert!(catch_unwind(AssertUnwindSafe(wait)).is_err());
    });
}

#[test]
fn name_that_leads_elsewhere_again_and_again_is_an_error() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let locks = space(|_, _, _, _| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(Answer::Moved))
    });
    let error = in_time(move || locks.key("key").lock().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(
        error.to_string(),
        "can't lock \"scripted/key\"; see what replaces it, or use another name"
    );
    assert_eq!(ASKED.load(Ordering::Relaxed), 1000);
}

#[test]
fn key_without_a_lock_is_told_of() {
    let locks = space(|_, _, _, _| granted());
    for error in [
        locks.key("").lock().unwrap_err(),
        locks.keys(["key", ""]).try_lock().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidKey);
        assert_eq!(
            error.to_string(),
            "no lock for key \"\" in \"scripted\": it is empty; name something"
        );
    }
}

#[test]
fn panic_of_an_engine_leaves_the_lock_free() {
    static PANICS: AtomicUsize = AtomicUsize::new(2);
    let locks = space(|_, _, _, _| {
        let rest = PANICS.load(Ordering::Relaxed);
        PANICS.store(rest.saturating_sub(1), Ordering::Relaxed);
        assert_eq!(rest, 0, "it panics");
        granted()
    });
    in_time(move || {
        let take = || locks.key("key").lock().map(drop);
        assert!(catch_unwind(AssertUnwindSafe(take)).is_err());
        let mut wait = ByHand::new(locks.key("key").lock_async());
        assert!(catch_unwind(AssertUnwindSafe(|| wait.poll().is_ready())).is_err());
        // It goes on where it was, and until then has the lock in the process.
        assert!(locks.key("key").try_lock().is_err());
        assert!(wait.poll().is_ready());
        drop(locks.key("key").try_lock().unwrap());
    });
}

#[test]
fn panic_of_a_release_leaves_the_lock_free() {
    let locks = space(|_, _, _, _| {
        let panics: fn() = || panic!("it panics");
        Poll::Ready(Ok(Answer::Granted(Hold(panics))))
    });
    in_time(move || {
        for _ in 0..2 {
            let guard = locks.key("key").try_lock().unwrap();
            assert!(catch_unwind(AssertUnwindSafe(|| drop(guard))).is_err());
        }
    });
}

/// Those in this process who have a lock together have one hold of the engine between them: a
/// thread that goes in again, and sharers. It is released when the last of them lets go.
#[test]
fn one_hold_is_enough_for_all_in_the_process() {
    static HOLDS: AtomicUsize = AtomicUsize::new(0);
    static RELEASED: AtomicUsize = AtomicUsize::new(0);
    let count = || [&HOLDS, &RELEASED].map(|count| count.load(Ordering::Relaxed));
    let locks = space(|_, _, _, _| {
        HOLDS.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(Answer::Granted(Hold(|| {
            RELEASED.fetch_add(1, Ordering::Relaxed);
        }))))
    });
    let enter: [&dyn Fn() -> Guard; 2] =
        [&|| locks.key("key").reentrant().lock().unwrap(), &|| {
            locks.key("key").shared().lock().unwrap()
        }];
    for (enter, number) in enter.iter().zip(1..) {
        let (first, second) = (enter(), enter());
        drop(first);
        assert_eq!(count(), [number, number - 1]);
        let busy = locks.key("key").try_lock().unwrap_err();
        assert_eq!(busy.holder().unwrap().pid(), None, "it is this process");
        drop(second);
        assert_eq!(count(), [number, number]);
    }
}

#[test]
fn waiter_that_leaves_makes_way_for_the_next() {
    let locks = space(|_, pause, ask, by| {
        assert!(ask.waits(by));
        *pause = Pause::of(Duration::from_hours(1));
        ready!(pause.poll(by));
        granted()
    });
    let mut first = ByHand::new(locks.key("key").lock_async());
    let mut second = ByHand::new(locks.key("key").lock_async());
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(first);
    assert_eq!(second.woken(), 1);
    assert!(second.poll().is_pending());
}

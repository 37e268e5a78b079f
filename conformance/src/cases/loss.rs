//! Locks that can be lost while they are held, and their fences.
//!
//! The guards are a [`LeaseGuard`] and an [`AsyncLeaseGuard`], which only the subject's types know.

use crate::by_hand::ByHand;
use crate::limit::eventually;
use crate::subject::Subject;
use crate::take::{KEY, hold, hold_all, hold_async, is_free, rounds, wait};
use crate::test::Test;
use lockutils::engine::{AsyncGuardOf, GuardOf, Mode, Space};
use lockutils::{AsyncLeaseGuard, Error, ErrorKind, Fence, LeaseGuard};
use std::any::Any;
use std::thread;
use std::time::Duration;

type GuardIn<S> = GuardOf<<<S as Subject>::Space as Space>::Machine>;
type AsyncGuardIn<S> = AsyncGuardOf<<<S as Subject>::Space as Space>::Machine>;

fn leased<S: Subject>(guard: GuardIn<S>) -> LeaseGuard {
    same(guard)
}

fn leased_async<S: Subject>(guard: AsyncGuardIn<S>) -> AsyncLeaseGuard {
    same(guard)
}

/// The value, of which the caller knows what it is.
fn same<T: Any, L: Any>(guard: T) -> L {
    let mut guard = Some(guard);
    let leased = (&mut guard as &mut dyn Any).downcast_mut::<Option<L>>();
    let leased = leased.expect("what can be lost, or has a fence, has a guard that says so");
    leased.take().expect("it is there")
}

fn lease<S: Subject>(space: &S::Space) -> LeaseGuard {
    leased::<S>(hold(space, KEY))
}

fn lease_of_a_task<S: Subject>(space: &S::Space) -> AsyncLeaseGuard {
    leased_async::<S>(pollster::block_on(hold_async(space, KEY)))
}

fn assert_lost(result: Result<(), Error>) {
    assert_one_is_lost(result, &[KEY]);
}

fn assert_one_is_lost(result: Result<(), Error>, keys: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    let key = error.key().expect("it names the key");
    assert!(keys.contains(&key), "{error}");
}

/// Each hold has a greater fence than those before it, be it a thread's or a task's, or another
/// client's.
pub fn fence_rises_over_clean_release<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let spaces = [S::space(&place), S::space(&place)];
    let spaces = if S::ACROSS_PROCESSES {
        &spaces[..]
    } else {
        &spaces[..1]
    };
    let mut last: Option<Fence> = None;
    let mut rises = |fence: Fence| {
        assert!(Some(fence) > last, "{fence:?} after {last:?}");
        last = Some(fence);
    };
    for round in rounds(20) {
        let space = &spaces[round % spaces.len()];
        rises(lease::<S>(space).fence());
        let guard = lease_of_a_task::<S>(space);
        rises(guard.fence());
        pollster::block_on(guard.release_async()).unwrap();
    }
}

/// And when the lock was lost.
pub fn fence_rises_over_a_loss<S: Subject>(test: &Test<S>) {
    let space = test.space();
    for _ in rounds(3) {
        let lost = lease::<S>(&space);
        S::lose(&space, KEY);
        let fence = lost.fence();
        drop(lost);
        assert!(lease::<S>(&space).fence() > fence);
    }
}

/// A guard of several keys has a fence for each of them, each as if it were alone.
pub fn keys_have_a_fence_each<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let before = leased::<S>(hold_all(&space, &["a", "b"])).fences().to_vec();
    let after = leased::<S>(hold_all(&space, &["b", "a", "b"]));
    assert_eq!(before.len(), 2);
    assert_eq!(after.fences().len(), 2);
    let each = before.iter().zip(after.fences());
    assert!(each.clone().all(|(before, after)| before < after));
    assert_eq!(after.fences().iter().max(), Some(&after.fence()));
}

/// Whoever has the lock learns of the loss by all ways, and others get it then.
pub fn loss_is_told<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = lease::<S>(&space);
    let mut lost = ByHand::new(guard.lost());
    assert!(lost.poll().is_pending());
    assert!(!guard.is_lost() && guard.check().is_ok());
    assert!(guard.valid_for() > Duration::ZERO);
    S::lose(&space, KEY);
    let () = lost.finish();
    assert!(guard.is_lost());
    assert_eq!(guard.valid_for(), Duration::ZERO);
    assert_lost(guard.check());
    pollster::block_on(guard.lost());
    assert_lost(guard.release());
    drop(hold(&space, KEY));
}

/// So does a task, of which others wait for the loss.
pub fn loss_is_told_to_a_task<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = lease_of_a_task::<S>(&space);
    let lost = guard.lost();
    let watcher = thread::spawn(move || pollster::block_on(lost));
    S::lose(&space, KEY);
    watcher.join().unwrap();
    assert!(guard.is_lost());
    assert_lost(guard.check());
    assert_lost(pollster::block_on(guard.release_async()));
    drop(pollster::block_on(hold_async(&space, KEY)));
}

/// Who looks learns of it as well, without a future.
pub fn loss_is_seen_by_who_looks<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = lease::<S>(&space);
    S::lose(&space, KEY);
    eventually("it is lost", || guard.is_lost());
    drop(guard);
    drop(hold(&space, KEY));
}

/// Whoever has released a lock loses nothing, also when the next holder does.
pub fn release_is_no_loss<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = lease::<S>(&space);
    let mut dropped = ByHand::new(guard.lost());
    assert!(dropped.poll().is_pending());
    drop(guard);
    let guard = lease::<S>(&space);
    let mut released = ByHand::new(guard.lost());
    assert!(released.poll().is_pending());
    guard.release().unwrap();
    let next = lease::<S>(&space);
    S::lose(&space, KEY);
    eventually("it is lost", || next.is_lost());
    assert!(dropped.poll().is_pending() && released.poll().is_pending());
}

/// Who has waited for the release finds the lock free, also as another client.
pub fn release_waits_until_the_lock_is_free<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (space, other) = (S::space(&place), S::space(&place));
    for _ in rounds(10) {
        lease::<S>(&space).release().unwrap();
        assert!(!S::ACROSS_PROCESSES || is_free(&other, KEY));
        pollster::block_on(lease_of_a_task::<S>(&space).release_async()).unwrap();
        assert!(!S::ACROSS_PROCESSES || is_free(&other, KEY));
    }
}

/// Of several keys one is lost, and so the guard of all of them is. Where they have one lease, others
/// are lost as well, and any of them may be named.
pub fn loss_of_one_of_several_keys_is_told<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let keys = ["other", KEY, "third"];
    let guard = leased::<S>(hold_all(&space, &keys));
    S::lose(&space, KEY);
    eventually("it is lost", || guard.is_lost());
    assert_one_is_lost(guard.check(), &keys);
    assert_one_is_lost(guard.release(), &keys);
    drop(hold_all(&space, &["third", "other", KEY]));
}

/// A hold that is lost is handed on to nobody in the process.
pub fn lost_hold_is_not_shared<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let share = || wait(&space, KEY, Mode::Shared).block();
    let guard = leased::<S>(share().unwrap());
    S::lose(&space, KEY);
    eventually("it is lost", || guard.is_lost());
    if let Ok(other) = share() {
        assert!(!leased::<S>(other).is_lost(), "it is another hold");
    }
    drop(guard);
    drop(hold(&space, KEY));
}

/// An asker that goes, before the lock is granted, while it is, or after, leaves it to others.
pub fn asker_that_goes_leaves_the_lock_free<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (space, other) = (S::space(&place), S::space(&place));
    for round in rounds(50) {
        let mut asks = ByHand::new(hold_async(&space, KEY));
        let mut asked = asks.poll();
        // Whatever the server does meanwhile, any moment will do.
        thread::sleep(Duration::from_micros(100) * u32::try_from(round).unwrap_or(0));
        if round % 2 == 0 && asked.is_pending() {
            asked = asks.poll();
        }
        drop((asks, asked));
        let next = if S::ACROSS_PROCESSES { &other } else { &space };
        drop(hold(next, KEY));
    }
}

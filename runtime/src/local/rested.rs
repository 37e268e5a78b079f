//! A lock that others may join is on the fast path again after it was an entry, though it always has some holder.

use super::Locks;
use crate::handle::Handle;
use crate::table::Name;
use crate::table::fast::is_held_thin;
use crate::table::looks::held;
use crate::table::place::SLOTS;
use std::time::Duration;

static LOCKS: Locks = Locks::new("rested");
static COUNTED: Locks = Locks::new("rested, counted").permits(3);

fn is_thin(locks: &Locks, key: u64) -> bool {
    is_held_thin(Name::new(locks.id(), key.to_string().as_bytes()).hash)
}

/// Whether a lock is an entry after this, and on the fast path again when somebody else has joined. Tests beside
/// this one look at all locks now and then, so each key is one try.
fn rests(
    handle: impl Fn(u64) -> Handle<'static, u64>,
    inflates: impl Fn(u64),
    joined: impl Fn(u64),
) -> bool {
    (0..1000_u64).any(|key| {
        let locks = handle(key).space;
        let is_thin = || is_thin(locks, key);
        let _first = handle(key).lock();
        let was_thin = is_thin();
        inflates(key);
        let was_entry = !is_thin();
        joined(key);
        was_thin && was_entry && is_thin()
    })
}

/// Somebody joins, and has gone by then.
fn rests_for_one_more(handle: impl Fn(u64) -> Handle<'static, u64>, inflates: impl Fn(u64)) {
    assert!(rests(&handle, &inflates, |key| drop(handle(key).lock())));
    let tries = |key| drop(handle(key).try_lock().unwrap());
    assert!(rests(&handle, &inflates, tries));
}

fn shared(key: u64) -> Handle<'static, u64> {
    LOCKS.key(key).shared()
}

#[test]
fn lock_that_was_looked_at_is_on_the_fast_path_again() {
    rests_for_one_more(shared, |key| assert!(LOCKS.key(key).is_locked()));
    rests_for_one_more(
        |key| COUNTED.key(key),
        |key| assert!(COUNTED.key(key).is_locked()),
    );
}

#[test]
fn lock_of_which_is_known_since_when_it_is_held_is_on_the_fast_path_again() {
    rests_for_one_more(shared, |_| drop(held(Duration::ZERO)));
}

#[test]
fn lock_that_was_refused_is_on_the_fast_path_again() {
    rests_for_one_more(shared, |key| assert!(LOCKS.key(key).try_lock().is_err()));
}

#[test]
fn lock_whose_waiter_has_given_up_is_on_the_fast_path_at_once() {
    let gives_up = |key: u64| {
        let taken = LOCKS.key(key).lock_timeout(Duration::ZERO);
        assert!(taken.is_err());
    };
    assert!(rests(
        shared,
        |key| assert!(LOCKS.key(key).is_locked()),
        gives_up
    ));
}

/// Else it would be one again with each that comes.
#[test]
fn lock_with_a_holder_in_each_place_of_those_who_join_stays_an_entry() {
    let key = 1000;
    let first = shared(key).lock();
    let _joined = [(); SLOTS].map(|()| shared(key).lock());
    drop(first);
    assert!(LOCKS.key(key).is_locked());
    drop(shared(key).lock());
    assert!(!is_thin(&LOCKS, key));
}

#[test]
fn lock_with_more_holders_than_there_are_places_is_on_the_fast_path_when_some_have_gone() {
    let many = |key: u64| drop([(); 20].map(|()| shared(key).lock()));
    assert!(rests(
        shared,
        |key| assert!(LOCKS.key(key).is_locked()),
        many
    ));
}

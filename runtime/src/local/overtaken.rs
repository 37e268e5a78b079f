//! While a thread is on its way that was called to take a lock, others go on by the fast path.

use super::{InProcess, Locks};
use crate::acquire::{Acquire, Won};
use crate::site::Site;
use crate::space::Space as _;
use crate::sync::PAUSES;
use crate::table::Name;
use crate::table::fast::{is_held_thin, looks_free};
use crate::table::policy::Mode;
use std::task::Poll;

static LOCKS: Locks = Locks::new("overtaken");
static FAIR: Locks = Locks::new("overtaken, fair").fair();

/// A step of a thread that waits, which is another one than this.
fn step(waits: &mut Acquire<InProcess>) -> Option<Won<InProcess>> {
    match waits.step_by_hand() {
        Poll::Ready(Ok(won)) => Some(won),
        Poll::Pending => None,
    }
}

/// Whether others take and release by the fast path until a thread comes that was called. Tests beside this one look at all
/// locks now and then, so each key is one try.
fn is_fast(locks: &'static Locks) -> bool {
    (0..1000_u64).any(|key| {
        let text = key.to_string();
        let name = Name::new(locks.id(), text.as_bytes());
        let held = locks.key(key).lock();
        let mut waits = locks.wait(&key, Mode::Exclusive, Site::here());
        assert!(step(&mut waits).is_none());
        drop(held);
        let was_free = looks_free(name);
        let is_thin = was_free && {
            let overtakes = locks.key(key).lock();
            let is_thin = is_held_thin(name.hash);
            // It comes, in vain, though it gives the holder some time.
            let before = PAUSES.get();
            assert!(step(&mut waits).is_none());
            let has_paused = PAUSES.get() > before;
            assert!(locks.key(key).try_lock().is_err());
            drop(overtakes);
            is_thin && has_paused
        };
        assert!(step(&mut waits).is_some());
        was_free && is_thin
    })
}

#[test]
fn others_go_by_the_fast_path_until_who_was_called_comes() {
    // Also with the feature `metrics`, which listens to each wait.
    assert!(is_fast(&LOCKS));
}

#[test]
fn who_was_called_is_the_next_one_of_a_fair_lock() {
    assert!(!is_fast(&FAIR));
}

//! What a space is, and the calls that find one.

use lockutils::{ErrorKind, Locks};
use lockutils_tests::{Lockstep, in_time};
use std::thread;

#[test]
fn two_spaces_of_one_name_are_two() {
    in_time(|| {
        let (one, other) = (Locks::new("cells"), Locks::new("cells"));
        let _guard = one.key("key").lock();
        assert!(one.key("key").try_lock().is_err());
        assert!(other.key("key").try_lock().is_ok());
    });
}

#[test]
fn space_in_a_field_belongs_to_its_object() {
    in_time(|| {
        struct Server {
            locks: Locks,
        }
        let [one, other] = [(); 2].map(|()| Server {
            locks: Locks::new("servers"),
        });
        let _guard = one.locks.key("key").lock();
        assert!(one.locks.key("key").is_locked());
        assert!(!other.locks.key("key").is_locked());
    });
}

/// A space may be moved, as long as nobody borrows it: its locks come along.
#[test]
fn moved_space_is_the_same_space() {
    in_time(|| {
        let locks = Locks::new("moved");
        let guard = locks.key("key").lock();
        let moved = Box::new(locks);
        assert!(moved.key("key").is_locked());
        drop(guard);
        assert!(!moved.key("key").is_locked());
    });
}

/// A guard is not tied to its space by a lifetime.
#[test]
fn guard_outlives_its_space() {
    in_time(|| {
        let is_held = || {
            let states = lockutils::snapshot();
            states.iter().any(|lock| lock.space == "short-lived")
        };
        let guard = {
            let locks = Locks::new("short-lived");
            locks.key("key").lock()
        };
        assert!(is_held());
        drop(guard);
        assert!(!is_held());
    });
}

#[test]
fn free_functions_lock_in_the_process_wide_space() {
    in_time(|| {
        let key = "free_functions_lock_in_the_process_wide_space";
        let holds: [fn(&'static str) -> lockutils::AsyncGuard; 4] = [
            |key| lockutils::lock(key).into_async(),
            |key| lockutils::try_lock(key).unwrap().into_async(),
            |key| pollster::block_on(lockutils::lock_async(key)),
            |key| lockutils::global().key(key).lock().into_async(),
        ];
        for hold in holds {
            let guard = hold(key);
            assert!(lockutils::is_locked(key));
            assert!(lockutils::global().key(key).is_locked());
            assert_eq!(
                lockutils::try_lock(key).unwrap_err().kind(),
                ErrorKind::Busy
            );
            drop(guard);
            assert!(!lockutils::is_locked(key));
        }
    });
}

#[test]
fn handle_can_be_used_again() {
    in_time(|| {
        let locks = Locks::new("handle");
        let handle = locks.key("key");
        for _ in 0..3 {
            drop(handle.lock());
            assert!(handle.try_lock().is_ok());
            assert!(!handle.is_locked());
        }
    });
}

#[test]
fn guard_turned_async_holds_on_and_may_be_sent() {
    in_time(|| {
        let locks = Locks::new("into_async");
        let guard = locks.key("key").lock().into_async();
        assert!(locks.key("key").is_locked());
        thread::scope(|scope| {
            let locks = &locks;
            scope.spawn(move || {
                assert!(locks.key("key").is_locked());
                drop(guard);
                assert!(!locks.key("key").is_locked());
            });
        });
    });
}

/// A space has no identity before its first use; two first uses at once settle on
/// one.
#[test]
fn first_use_by_two_threads_is_of_one_space() {
    in_time(|| {
        let spaces: Vec<_> = (0..2000).map(|_| Locks::new("first use")).collect();
        let lockstep = Lockstep::new();
        let lock_all = |side| {
            let tried = spaces.iter().map(|locks| {
                lockstep.meet(side);
                locks.key("key").try_lock()
            });
            let tried: Vec<_> = tried.collect();
            lockstep.meet(side); // Nobody lets go before both have tried.
            tried.iter().map(Result::is_ok).collect::<Vec<_>>()
        };
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| lock_all(0));
            (lock_all(1), one.join().unwrap())
        });
        for (one, other) in one.into_iter().zip(other) {
            assert!(one != other, "one of them takes the lock");
        }
    });
}

/// What a space was used as before doesn't matter.
#[test]
fn permits_of_a_space_that_was_used_hold() {
    let locks = Locks::new("used before");
    drop(locks.key("key").lock());
    let locks = locks.permits(2);
    let _both = [(); 2].map(|()| locks.key("key").try_lock().unwrap());
    assert!(locks.key("key").try_lock().is_err());
}

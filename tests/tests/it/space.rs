//! What a space is, and the calls that find one.

use lockutils::{ErrorKind, Locks};
use lockutils_tests::in_time;
use std::thread;

#[test]
fn two_spaces_of_one_name_are_two() {
    let (one, other) = (Locks::new("cells"), Locks::new("cells"));
    let _guard = one.key("key").lock();
    assert!(one.key("key").try_lock().is_err());
    assert!(other.key("key").try_lock().is_ok());
}

#[test]
fn space_in_a_field_belongs_to_its_object() {
    struct Server {
        locks: Locks,
    }
    let [one, other] = [(); 2].map(|()| Server {
        locks: Locks::new("servers"),
    });
    let _guard = one.locks.key("key").lock();
    assert!(one.locks.key("key").is_locked());
    assert!(!other.locks.key("key").is_locked());
}

/// A space may be moved, as long as nobody borrows it: its locks come along.
#[test]
fn moved_space_is_the_same_space() {
    let locks = Locks::new("moved");
    let guard = locks.key("key").lock();
    let moved = Box::new(locks);
    assert!(moved.key("key").is_locked());
    drop(guard);
    assert!(!moved.key("key").is_locked());
}

/// A guard is not tied to its space by a lifetime.
#[test]
fn guard_outlives_its_space() {
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
    let locks = Locks::new("handle");
    let handle = locks.key("key");
    for _ in 0..3 {
        drop(handle.lock());
        assert!(handle.try_lock().is_ok());
        assert!(!handle.is_locked());
    }
}

#[test]
fn guard_turned_async_holds_on_and_may_be_sent() {
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
}

/// First use from many threads at once settles on one identity.
#[test]
fn first_use_by_many_threads_is_of_one_space() {
    in_time(|| {
        for _ in 0..200 {
            let locks = Locks::new("first use");
            let start = std::sync::Barrier::new(4);
            let taken: usize = thread::scope(|scope| {
                let tries = [(); 4].map(|()| {
                    scope.spawn(|| {
                        start.wait();
                        let tried = locks.key("key").try_lock();
                        start.wait(); // Nobody lets go before all have tried.
                        usize::from(tried.is_ok())
                    })
                });
                tries.into_iter().map(|tried| tried.join().unwrap()).sum()
            });
            assert_eq!(taken, 1);
        }
    });
}

//! Several different locks held at once.

use lockutils::Locks;
use lockutils_tests::in_time;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Barrier};
use std::thread;

#[test]
fn nested_keys_are_all_held_and_released_one_by_one() {
    in_time(|| {
        let locks = Locks::new("nesting");
        let held = || ["a", "b", "c"].map(|key| locks.key(key).is_locked());
        let a = locks.key("a").lock();
        {
            let b = locks.key("b").lock();
            let c = locks.key("c").lock();
            assert_eq!(held(), [true, true, true]);
            drop(b); // Not the innermost.
            assert_eq!(held(), [true, false, true]);
            drop(c);
        }
        assert_eq!(held(), [true, false, false]);
        drop(a);
        assert_eq!(held(), [false, false, false]);
    });
}

#[test]
fn panic_in_the_inner_lock_keeps_the_outer() {
    in_time(|| {
        let locks = Locks::new("nesting");
        let outer = locks.key("outer").lock();
        let inner = panic::catch_unwind(AssertUnwindSafe(|| {
            let _inner = locks.key("inner").lock();
            panic!("inside the inner lock");
        }));
        assert!(inner.is_err());
        assert!(locks.key("outer").is_locked());
        assert!(!locks.key("inner").is_locked());
        drop(outer);
        assert!(!locks.key("outer").is_locked());
    });
}

/// One hundred locks, one in the other, by two threads that come from the same side.
#[test]
fn deep_nesting_in_one_order_does_not_deadlock() {
    in_time(|| {
        let locks = Arc::new(Locks::new("nesting"));
        let start = Barrier::new(2);
        let all = || {
            start.wait();
            for _ in 0..20 {
                let guards: Vec<_> = (100..200).map(|key| locks.key(key).lock()).collect();
                drop(guards);
            }
        };
        thread::scope(|scope| {
            scope.spawn(all);
            scope.spawn(all);
        });
        assert!((100..200).all(|key| !locks.key(key).is_locked()));
    });
}

#[test]
fn one_key_in_two_spaces_nests() {
    in_time(|| {
        let (a, b) = (Locks::new("nesting"), Locks::new("nesting"));
        let _a = a.key("key").lock();
        let _b = b.key("key").lock();
        let _global = lockutils::lock("one_key_in_two_spaces_nests");
    });
}

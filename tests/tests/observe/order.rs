//! The order of locks that somebody has waited for is told, though nobody has switched it on.

use super::{ORDERS, watch};
use lockutils::Locks;
use lockutils_tests::{in_time, waiters};
use std::thread;

/// Takes one lock and waits for the other, while somebody begins to wait for the first.
fn take(held: &'static Locks, asked: &'static Locks) {
    let wait = |locks: &'static Locks, count: usize| {
        lockutils_tests::eventually("it waits", || waiters(locks) == count);
    };
    let (first, second) = (held.key("key").lock(), asked.key("key").lock());
    thread::scope(|scope| {
        let nested = scope.spawn(|| {
            let _held = held.key("key").lock();
            let _asked = asked.key("key").lock();
        });
        wait(held, 1);
        drop(first);
        wait(asked, 1);
        let behind = scope.spawn(|| drop(held.key("key").lock()));
        wait(held, 1);
        drop(second);
        nested.join().unwrap();
        behind.join().unwrap();
    });
}

#[test]
fn two_orders_of_locks_that_are_waited_for_are_told() {
    static A: Locks = Locks::new("a is waited for");
    static B: Locks = Locks::new("b is waited for");
    watch();
    in_time(|| {
        take(&A, &B);
        let told = || {
            let orders = ORDERS.lock().unwrap();
            orders
                .iter()
                .filter(|order| order.contains("is waited for"))
                .count()
        };
        assert_eq!(told(), 0);
        // Who is in the queue isn't known to wait until a moment later, so either may be missed.
        lockutils_tests::eventually("it is told", || {
            take(&B, &A);
            take(&A, &B);
            told() > 0
        });
        assert_eq!(told(), 1);
    });
}

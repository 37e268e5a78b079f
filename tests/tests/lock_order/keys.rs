//! Several keys of one space.

use super::{panic_of, run};
use lockutils::Locks;

const REMEDY: &str = "\n  use keys([..]), which takes them in one order";

#[test]
fn keys_against_their_order_are_told_with_the_remedy() {
    static ACCOUNTS: Locks = Locks::new("accounts");
    run(|| {
        let _from = ACCOUNTS.key("a").lock();
        let _to = ACCOUNTS.key("b").lock();
    });
    let text = panic_of("worker-1", || {
        let _from = ACCOUNTS.key("b").lock();
        let _to = ACCOUNTS.key("a").lock();
    });
    let text = text.unwrap();
    let [headline, line, remedy] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    assert_eq!(
        headline,
        "lockutils: locks are taken in two orders, which will deadlock one day:"
    );
    assert!(line.starts_with("  accounts/b (") && line.contains(") and then accounts/a ("));
    assert!(line.ends_with(", in thread \"worker-1\""));
    assert_eq!(remedy, REMEDY.trim_start_matches('\n'));
    assert!(!ACCOUNTS.key("b").is_locked());
}

#[test]
fn keys_of_one_call_are_exempt() {
    static ACCOUNTS: Locks = Locks::new("accounts of one call");
    for keys in [["a", "b", "c"], ["c", "b", "a"], ["b", "b", "a"]] {
        run(|| drop(ACCOUNTS.keys(keys).lock()));
        run(|| drop(pollster::block_on(ACCOUNTS.keys(keys).lock_async())));
        run(|| drop(ACCOUNTS.keys(keys).shared().lock()));
    }
}

#[test]
fn keys_beside_one_that_is_held_are_in_its_order() {
    static ACCOUNTS: Locks = Locks::new("accounts beside another");
    run(|| {
        let _first = ACCOUNTS.key("b").lock();
        let _others = ACCOUNTS.keys(["d", "c"]).lock();
    });
    let text = panic_of("second", || {
        let _first = ACCOUNTS.key("b").lock();
        let _others = ACCOUNTS.keys(["c", "a"]).lock();
    });
    assert!(text.unwrap().ends_with(REMEDY));
    assert!(!ACCOUNTS.key("b").is_locked());
}

#[test]
fn several_keys_are_one_class_each_with_another_space() {
    static A: Locks = Locks::new("a of several keys");
    static B: Locks = Locks::new("b of several keys");
    run(|| {
        let _a = A.keys(["x", "y"]).lock();
        let _b = B.keys(["x", "y"]).lock();
    });
    let text = panic_of("second", || {
        let _b = B.keys(["x", "y"]).lock();
        let _a = A.keys(["v", "w"]).lock();
    });
    assert!(text.is_some());
    assert!(!A.key("v").is_locked());
    assert!(!B.key("x").is_locked());
}

#[test]
fn lock_that_is_had_already_gives_no_order() {
    static A: Locks = Locks::new("a again");
    static B: Locks = Locks::new("b again");
    run(|| {
        let _a = A.key("b").reentrant().lock();
        let _b = B.key("x").lock();
        let _again = A.key("b").reentrant().lock();
    });
    run(|| {
        let _a = A.key("b").shared().lock();
        let _b = B.key("x").lock();
        let _again = A.key("b").shared().lock();
    });
}

#[test]
fn keys_one_after_the_other_are_in_any_order() {
    static ACCOUNTS: Locks = Locks::new("accounts one after the other");
    run(|| {
        drop(ACCOUNTS.key("b").lock());
        drop(ACCOUNTS.key("a").lock());
        let _c = ACCOUNTS.key("c").lock();
        let b = ACCOUNTS.key("b").try_lock().unwrap();
        drop(b);
        let _d = ACCOUNTS.key("d").lock();
    });
}

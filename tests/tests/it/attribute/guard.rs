//! `guard = ..`: the body has the guard.

use lockutils::{AsyncGuard, Guard, is_locked, synchronized};
use lockutils_tests::yield_now;
use pollster::block_on;
use std::thread;

#[test]
fn body_may_release_early() {
    #[synchronized("guard early", guard = guard)]
    fn early() -> [bool; 2] {
        let before = is_locked("guard early");
        drop(guard);
        [before, is_locked("guard early")]
    }
    #[synchronized("guard early async", guard = guard)]
    async fn early_async() -> [bool; 2] {
        let before = is_locked("guard early async");
        yield_now().await;
        drop(guard);
        yield_now().await;
        [before, is_locked("guard early async")]
    }
    assert_eq!(early(), [true, false]);
    assert_eq!(block_on(early_async()), [true, false]);
}

#[test]
fn body_may_return_the_guard() {
    #[synchronized("guard returned", guard = held)]
    fn enter() -> Guard {
        held
    }
    #[synchronized("guard returned async", guard = held)]
    async fn enter_async() -> AsyncGuard {
        held
    }
    let guard = enter();
    assert!(is_locked("guard returned"));
    drop(guard);
    assert!(!is_locked("guard returned"));
    let guard = block_on(enter_async());
    thread::spawn(move || {
        assert!(is_locked("guard returned async"));
        drop(guard);
    })
    .join()
    .unwrap();
    assert!(!is_locked("guard returned async"));
}

#[test]
fn unused_guard_is_held_to_the_end() {
    #[synchronized("guard unused", guard = _guard)]
    fn run() -> bool {
        is_locked("guard unused")
    }
    assert!(run());
    assert!(!is_locked("guard unused"));
}

#[test]
fn guard_hides_an_argument_of_its_name_from_the_body_alone() {
    #[synchronized(key = name, guard = name)]
    fn run(name: &str) {
        assert!(is_locked("guard name"));
        let name: Guard = name;
        drop(name);
        assert!(!is_locked("guard name"));
    }
    run("guard name");
}

#[test]
fn future_that_is_returned_has_the_guard_inside() {
    #[synchronized("guard in a block", guard = guard)]
    fn run(log: &mut Vec<bool>) -> impl Future<Output = bool> {
        log.push(is_locked("guard in a block"));
        async move {
            drop(guard);
            is_locked("guard in a block")
        }
    }
    let mut log = Vec::new();
    assert!(!block_on(run(&mut log)));
    assert_eq!(log, [false]);
}

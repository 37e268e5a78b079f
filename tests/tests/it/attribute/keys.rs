//! `keys = ..`: several locks at once.

use lockutils::{Locks, is_locked, synchronized};
use lockutils_tests::{ByHand, Recorder, in_time, states, yield_now};
use pollster::block_on;
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

static ACCOUNTS: Locks = Locks::new("attribute keys");

fn held() -> Vec<String> {
    states(&ACCOUNTS)
        .into_iter()
        .map(|lock| lock.key)
        .map(|key| key.to_string())
        .collect()
}

#[test]
fn all_keys_are_held_each_once() {
    static LOCKS: Locks = Locks::new("attribute keys each once");
    #[synchronized(keys = [to, from, to], locks = LOCKS)]
    fn transfer(from: u32, to: u32) -> Vec<String> {
        let states = states(&LOCKS).into_iter();
        states.map(|lock| lock.key.to_string()).collect()
    }
    assert_eq!(transfer(7, 3), ["3", "7"]);
    assert_eq!(transfer(7, 7), ["7"]);
    assert!(states(&LOCKS).is_empty());
}

#[test]
fn keys_are_anything_that_for_takes() {
    #[synchronized(keys = &names)]
    fn borrowed(names: Vec<String>) -> Vec<String> {
        assert!(is_locked("keys borrowed a") && is_locked("keys borrowed b"));
        names
    }
    #[synchronized(keys = names)]
    fn moved(names: BTreeSet<&'static str>) {
        assert!(is_locked("keys moved a"));
    }
    #[synchronized(keys = (1..=count).map(|number| ("keys made", number)))]
    fn made(count: u32) {
        assert!(is_locked(("keys made", 1)) && is_locked(("keys made", 2)));
    }
    #[synchronized(keys = [format_args!("keys of {left}"), format_args!("keys of {right}")])]
    fn formatted(left: u32, right: u32) {
        assert!(is_locked("keys of 1") && is_locked("keys of 2"));
    }
    let names = ["keys borrowed a", "keys borrowed b"].map(String::from);
    assert_eq!(borrowed(names.to_vec()), names);
    moved(BTreeSet::from(["keys moved a"]));
    made(2);
    formatted(1, 2);
}

#[test]
fn empty_list_holds_nothing_and_runs() {
    static LOCKS: Locks = Locks::new("attribute keys none");
    #[synchronized(keys = ids, locks = LOCKS)]
    fn run(ids: &[u32]) -> usize {
        states(&LOCKS).len()
    }
    #[synchronized(keys = ids, locks = LOCKS)]
    async fn run_async(ids: &[u32]) -> usize {
        states(&LOCKS).len()
    }
    assert_eq!(run(&[]), 0);
    assert_eq!(block_on(run_async(&[])), 0);
}

#[test]
fn transfers_in_both_directions_do_not_deadlock() {
    static LOCKS: Locks = Locks::new("attribute transfers");
    #[synchronized(keys = [from, to], locks = LOCKS)]
    fn transfer(from: &str, to: &str, recorder: &Recorder) {
        let _stay = recorder.enter();
    }
    #[synchronized(keys = [from, to], locks = LOCKS)]
    async fn transfer_async(from: &str, to: &str, recorder: &Recorder) {
        let _stay = recorder.enter();
        yield_now().await;
    }
    in_time(|| {
        let recorder = Recorder::new();
        let start = Barrier::new(3);
        thread::scope(|scope| {
            for (from, to) in [("a", "b"), ("b", "a")] {
                let (recorder, start) = (&recorder, &start);
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..200 {
                        transfer(from, to, recorder);
                    }
                });
            }
            start.wait();
            for _ in 0..200 {
                block_on(transfer_async("b", "a", &recorder));
            }
        });
        recorder.assert_exclusive(600);
    });
}

#[test]
fn cancelled_wait_keeps_none_of_the_keys() {
    #[synchronized(keys = ["a", "b"], locks = ACCOUNTS)]
    async fn both() {}
    let guard = ACCOUNTS.key("b").lock();
    let mut waiter = ByHand::new(both());
    assert!(waiter.poll().is_pending());
    assert_eq!(held(), ["a", "b"]);
    drop(waiter);
    assert_eq!(held(), ["b"]);
    drop(guard);
    assert!(held().is_empty());
}

#[test]
fn keys_are_evaluated_once() {
    static LOCKS: Locks = Locks::new("attribute keys once");
    #[synchronized(keys = ids(), locks = LOCKS)]
    fn run(ids: &mut dyn FnMut() -> [u32; 2]) {}
    let mut evaluated = 0;
    let mut ids = || {
        evaluated += 1;
        [1, 2]
    };
    run(&mut ids);
    assert_eq!(evaluated, 1);
}

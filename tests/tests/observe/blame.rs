//! Whom waits are blamed on.

use crate::{Told, told, watch};
use lockutils::{AsyncGuard, Locks, profile};
use lockutils_tests::{ByHand, eventually, in_time};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::hint;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// How many nanoseconds were waited in a space, by the lines of who had the lock and who waited.
fn blamed(space: &str) -> BTreeMap<(u32, u32), u64> {
    let mut folded = Vec::new();
    profile().write_folded(&mut folded).unwrap();
    let folded = String::from_utf8(folded).unwrap();
    let line = |site: &str| site.rsplit_once(':').unwrap().1.parse::<u32>().unwrap();
    let pair = |text: &str| {
        let (stack, nanoseconds) = text.rsplit_once(' ').unwrap();
        let [name, holder, waiter] = stack.split(';').collect::<Vec<_>>()[..] else {
            panic!("{text}");
        };
        let nanoseconds = || nanoseconds.parse().unwrap();
        (name == space).then(|| ((line(holder), line(waiter)), nanoseconds()))
    };
    folded.lines().filter_map(pair).collect()
}

fn sum(blamed: &BTreeMap<(u32, u32), u64>, of: impl Fn(u32, u32) -> bool) -> u64 {
    let of = blamed
        .iter()
        .filter(|((holder, waiter), _)| of(*holder, *waiter));
    of.map(|(_, nanoseconds)| nanoseconds).sum()
}

/// How long all waits in a space were that have ended.
fn waited(space: &str) -> u64 {
    let time = |told| match told {
        Told::End(_, time) => Some(u64::try_from(time.as_nanos()).unwrap()),
        _ => None,
    };
    told(space).into_iter().filter_map(time).sum()
}

/// The same as [`blamed`] of a space in which nobody waits any more, where it is all that was waited, to
/// the nanosecond. Another test that looks may have some of it in its hands for a moment.
fn all_blamed(space: &str) -> BTreeMap<(u32, u32), u64> {
    eventually("all is blamed on somebody", || {
        sum(&blamed(space), |_, _| true) == waited(space)
    });
    blamed(space)
}

/// Between two moments that are as near to the true ones as a test can be: on a busy machine it is
/// kept from looking in time.
fn assert_within(nanoseconds: u64, least: Duration, most: Duration) {
    let time = Duration::from_nanos(nanoseconds);
    assert!(
        (least..=most).contains(&time),
        "{time:?} isn't within {least:?} and {most:?}"
    );
}

/// Two places hold a lock for 10 and for 1 ms in turn, with somebody waiting all the time.
#[test]
fn blame_of_a_workload_is_as_long_as_its_holds() {
    watch();
    in_time(|| {
        let locks = Locks::new("workload").fair();
        let (mut least, mut most) = ([Duration::ZERO; 2], [Duration::ZERO; 2]);
        let mut lines = [0; 2];
        for round in 0..40 {
            let index = round % 2;
            let (guard, line) = match index {
                0 => (locks.key(7).try_lock(), line!()),
                _ => (locks.key(7).try_lock(), line!()),
            };
            lines[index] = line;
            let before = Instant::now();
            let mut next = ByHand::new(locks.key(7).lock_async());
            assert!(next.poll().is_pending());
            let begin = Instant::now();
            thread::sleep(Duration::from_millis([10, 1][index]));
            least[index] += begin.elapsed();
            drop(guard.unwrap());
            most[index] += before.elapsed();
            drop(next.finish());
        }
        let blamed = all_blamed("workload");
        for (index, line) in lines.into_iter().enumerate() {
            let by = sum(&blamed, |holder, _| holder == line);
            assert_within(by, least[index], most[index]);
        }
    });
}

#[test]
fn several_holders_are_blamed_evenly_and_a_waiter_that_does_not_come_for_itself() {
    watch();
    in_time(|| {
        let locks = Locks::new("several").permits(2);
        let (one, first) = (locks.key(7).lock(), line!());
        let (_other, second) = (locks.key(7).lock(), line!());
        let (mut waiter, own) = (ByHand::new(locks.key(7).lock_async()), line!());
        let before = Instant::now();
        assert!(waiter.poll().is_pending());
        let begin = Instant::now();
        thread::sleep(Duration::from_millis(20));
        let end = Instant::now();
        drop(one);
        let after = Instant::now();
        thread::sleep(Duration::from_millis(10));
        let absent = after.elapsed();
        drop(waiter.finish());
        let most_absent = end.elapsed();
        let blamed = all_blamed("several");
        let sums = [first, second, own].map(|line| sum(&blamed, |holder, _| holder == line));
        for half in &sums[..2] {
            let (least, most) = (end.duration_since(begin), after.duration_since(before));
            assert_within(2 * half, least, most + Duration::from_nanos(2));
        }
        assert_within(sums[2], absent, most_absent);
        assert_eq!(sums.iter().sum::<u64>(), waited("several"));
    });
}

/// What still waits is blamed on somebody too, and not twice.
#[test]
fn blame_of_a_wait_grows_while_it_lasts() {
    watch();
    in_time(|| {
        let locks = Locks::new("lasts");
        let guard = locks.key(7).lock();
        let mut waiter = ByHand::new(locks.key(7).lock_async());
        assert!(waiter.poll().is_pending());
        let so_far = || sum(&blamed("lasts"), |_, _| true);
        let first = so_far();
        eventually("it grows", || so_far() >= first + 5_000_000);
        assert_eq!(waited("lasts"), 0);
        drop(guard);
        drop(waiter.finish());
        all_blamed("lasts");
    });
}

/// Also where threads overtake each other all the time, and nobody sees each hold.
#[test]
fn blame_of_a_hot_lock_is_as_long_as_its_waits() {
    watch();
    in_time(|| {
        let locks = Locks::new("hot");
        let again_and_again = || {
            for _ in 0..1_000 {
                let _guard = locks.key(7).lock();
                (0..50).for_each(|_| hint::spin_loop());
            }
        };
        while waited("hot") == 0 {
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(again_and_again);
                }
            });
        }
        all_blamed("hot");
    });
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// From one of three places, shared or not.
    Take(usize, bool),
    Release(usize),
    Poll(usize),
    Cancel(usize),
    /// So many microseconds go by. After a millisecond locks are handed over.
    Pass(u64),
    /// Somebody looks at what has been waited so far.
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize, any::<bool>()).prop_map(|(place, shared)| Step::Take(place, shared)),
        3 => any::<usize>().prop_map(Step::Release),
        2 => any::<usize>().prop_map(Step::Poll),
        1 => any::<usize>().prop_map(Step::Cancel),
        2 => (0..1500_u64).prop_map(Step::Pass),
        1 => Just(Step::Look),
    ]
}

fn take<T>(all: &mut Vec<T>, number: usize) -> Option<T> {
    let index = number.checked_rem(all.len())?;
    Some(all.swap_remove(index))
}

#[expect(clippy::match_same_arms, reason = "each arm is a place of its own")]
fn run(locks: &Locks, steps: Vec<Step>) {
    let mut guards: Vec<AsyncGuard> = Vec::new();
    let mut waiters = Vec::new();
    for step in steps {
        match step {
            Step::Take(place, shared) => {
                let key = locks.key(7);
                let key = if shared { key.shared() } else { key };
                let future = match place {
                    0 => key.lock_async(),
                    1 => key.lock_async(),
                    _ => key.lock_async(),
                };
                let mut waiter = ByHand::new(future);
                match waiter.poll() {
                    Poll::Ready(guard) => guards.push(guard),
                    Poll::Pending => waiters.push(waiter),
                }
            }
            Step::Release(number) => drop(take(&mut guards, number)),
            Step::Poll(number) => {
                if let Some(mut waiter) = take(&mut waiters, number) {
                    match waiter.poll() {
                        Poll::Ready(guard) => guards.push(guard),
                        Poll::Pending => waiters.push(waiter),
                    }
                }
            }
            Step::Cancel(number) => drop(take(&mut waiters, number)),
            Step::Pass(time) => thread::sleep(Duration::from_micros(time)),
            Step::Look => drop(profile()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// To the nanosecond, in whatever order it all happens.
    #[test]
    fn blame_is_as_long_as_the_waits(
        permits in 1..3_u32,
        is_fair in any::<bool>(),
        steps in vec(step(), 0..40),
    ) {
        watch();
        let locks = Locks::new("programs").permits(permits);
        run(&if is_fair { locks.fair() } else { locks }, steps);
        all_blamed("programs");
    }
}

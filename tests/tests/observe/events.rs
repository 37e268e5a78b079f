//! What an observer is told of waits for locks, and of what lasts.

use crate::{DEADLOCKS, Log, OWN, Told, all_told, outcomes, told, watch};
use lockutils::observe::{self, Outcome};
use lockutils::{ErrorKind, Locks};
use lockutils_tests::{ByHand, eventually, in_time, waiters};
use std::thread;
use std::time::{Duration, Instant};

/// What a long hold is here.
const LONG: Duration = Duration::from_millis(400);

#[test]
fn wait_is_told_of_from_its_begin_to_its_end_and_a_free_lock_is_not() {
    watch();
    in_time(|| {
        let locks = Locks::new("told of");
        drop(locks.key(7).lock());
        let guard = locks.key(7).lock();
        assert_eq!(told("told of"), []);
        let start = Instant::now();
        let mut first = ByHand::new(locks.key(7).lock_async());
        let mut second = ByHand::new(locks.key(7).lock_async());
        assert!(first.poll().is_pending() && second.poll().is_pending());
        // Another waker is no other wait.
        assert!(first.poll().is_pending());
        let begins = [0, 1].map(|ahead| Told::Begin { ahead, holders: 1 });
        assert_eq!(told("told of"), begins);
        thread::sleep(Duration::from_millis(20));
        drop(guard);
        drop(first.finish());
        let most = start.elapsed();
        drop(second.finish());
        let [_, _, Told::End(Outcome::Acquired, time), _] = told("told of")[..] else {
            panic!("{:?}", told("told of"));
        };
        assert!(
            (Duration::from_millis(20)..=most).contains(&time),
            "{time:?}"
        );
        assert_eq!(outcomes("told of"), [Outcome::Acquired; 2]);
    });
}

#[test]
fn each_end_of_a_wait_is_told_as_what_it_is() {
    watch();
    in_time(|| {
        let locks = Locks::new("ends");
        let guard = locks.key(7).lock();
        let mut dropped = ByHand::new(locks.key(7).lock_async());
        assert!(dropped.poll().is_pending());
        drop(dropped);
        assert_eq!(outcomes("ends"), [Outcome::Cancelled]);
        thread::scope(|scope| {
            let wait = || locks.key(7).lock_timeout(Duration::from_millis(1)).is_err();
            assert!(scope.spawn(wait).join().unwrap());
        });
        let mut short = ByHand::new(locks.key(7).lock_timeout_async(Duration::from_millis(1)));
        assert!(short.poll().is_pending());
        assert!(short.finish().is_err());
        let own = locks.key(7).lock_timeout(Duration::from_secs(60));
        assert_eq!(own.unwrap_err().kind(), ErrorKind::Deadlock);
        let ends = [
            Outcome::Cancelled,
            Outcome::TimedOut,
            Outcome::TimedOut,
            Outcome::Deadlock,
        ];
        assert_eq!(outcomes("ends"), ends);
        let deadlocks = DEADLOCKS.lock().unwrap();
        assert!(deadlocks.iter().any(|text| text.contains("\"ends/7\"")));
        drop(guard);
    });
}

/// Whoever was handed the lock, and doesn't want it any more.
#[test]
fn hand_over_that_is_not_taken_is_a_wait_that_was_cancelled() {
    watch();
    in_time(|| {
        let locks = Locks::new("handed over").fair();
        let guard = locks.key(7).lock();
        let mut waiter = ByHand::new(locks.key(7).lock_async());
        assert!(waiter.poll().is_pending());
        drop(guard);
        drop(waiter);
        assert_eq!(outcomes("handed over"), [Outcome::Cancelled]);
        assert!(!locks.key(7).is_locked());
    });
}

#[test]
fn panic_of_an_observer_ends_there() {
    watch();
    in_time(|| {
        let locks = Locks::new("panics of an observer");
        let guard = locks.key(7).lock();
        let mut waiter = ByHand::new(locks.key(7).lock_async());
        assert!(waiter.poll().is_pending());
        drop(guard);
        drop(waiter.finish());
        assert_eq!(outcomes(locks.name()), [Outcome::Acquired]);
    });
}

#[test]
fn locks_of_an_observer_are_not_observed() {
    watch();
    in_time(|| {
        let locks = Locks::new("locks of an observer");
        let guard = locks.key(7).lock();
        let mut waiter = ByHand::new(locks.key(7).lock_async());
        assert!(waiter.poll().is_pending());
        drop(guard);
        drop(waiter.finish());
        assert_eq!(outcomes(locks.name()), [Outcome::Acquired]);
        assert_eq!(told(OWN.name()), []);
    });
}

#[test]
fn second_observer_is_refused() {
    watch();
    let refused = observe::set_observer(&Log).unwrap_err();
    assert_eq!(refused, observe::AlreadySet);
}

#[test]
fn long_wait_is_told_of_while_it_lasts() {
    watch();
    in_time(|| {
        let locks = Locks::new("long wait");
        let guard = locks.key(7).lock();
        let mut waiter = ByHand::new(locks.key(7).lock_async());
        assert!(waiter.poll().is_pending());
        let longs = || {
            let told = all_told("long wait").into_iter();
            let long = |told| match told {
                Told::LongWait(time) => Some(time),
                _ => None,
            };
            told.filter_map(long).collect::<Vec<_>>()
        };
        eventually("it is told of twice", || longs().len() >= 2);
        let [first, second, ..] = longs()[..] else {
            panic!("{:?}", longs());
        };
        assert!(first >= Duration::from_secs(1) && second >= first * 2);
        drop(guard);
        drop(waiter.finish());
    });
}

#[test]
fn waiter_that_does_not_come_is_told_of() {
    watch();
    in_time(|| {
        for locks in [
            Locks::new("not polled"),
            Locks::new("not polled, fair").fair(),
        ] {
            let guard = locks.key(7).lock();
            let mut waiter = ByHand::new(locks.key(7).lock_async());
            assert!(waiter.poll().is_pending());
            drop(guard);
            let is_told =
                |told: &Told| matches!(told, Told::NotPolled(time) if time.as_secs() >= 1);
            eventually("it is told of", || {
                all_told(locks.name()).iter().any(is_told)
            });
            drop(waiter.finish());
        }
    });
}

#[test]
fn long_hold_is_told_of_while_it_lasts_and_when_it_ends() {
    watch();
    in_time(|| {
        observe::long_holds(Some(LONG));
        let locks = Locks::new("long hold");
        let guard = locks.key(7).lock();
        let is_told = |of: bool| {
            let told = all_told("long hold").into_iter();
            let long =
                |told| matches!(told, Told::LongHold(time, ended) if ended == of && time >= LONG);
            told.filter(|told| long(told.clone())).count() == 1
        };
        eventually("it is told of", || is_told(false));
        assert!(!is_told(true));
        drop(guard);
        eventually("its end is", || is_told(true));
        // What is taken again and again is held for long by nobody, unless a thread stops for as long.
        let short = Locks::new("short holds");
        let (start, mut longest) = (Instant::now(), Duration::ZERO);
        while start.elapsed() < 2 * LONG {
            let begin = Instant::now();
            drop(short.key(7).lock());
            longest = longest.max(begin.elapsed());
        }
        let line = |name: &str| format!("lockutils_long_holds_total{{space=\"{name}\"");
        let text = lockutils::stats().to_prometheus();
        assert!(text.contains(&line("long hold")), "{text}");
        let is_told = text.contains(&line("short holds")) || !all_told("short holds").is_empty();
        assert!(!is_told || longest >= LONG, "{text}");
        assert!(text.contains("\nlockutils_held{"), "{text}");
        observe::long_holds(None);
    });
}

#[test]
fn thread_that_waits_is_told_of_with_its_name() {
    watch();
    in_time(|| {
        let locks = Locks::new("threads");
        let guard = locks.key(7).shared().lock();
        thread::scope(|scope| {
            scope.spawn(|| drop(locks.key(7).lock()));
            eventually("it waits", || waiters(&locks) == 1);
            drop(guard);
        });
        assert_eq!(outcomes("threads"), [Outcome::Acquired]);
    });
}

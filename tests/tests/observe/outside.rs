//! Waits for a lock that another process has.

use crate::{HOLDERS, Told, all_told, outcomes, told, watch};
use lockutils::observe::Outcome;
use lockutils::{ErrorKind, FileLocks, profile, snapshot, stats};
use lockutils_tests::{ByHand, Directory, Process, eventually, in_time};
use std::thread;
use std::time::{Duration, Instant};

/// A lock file, and a process that has others wait for it.
struct Stage {
    directory: Directory,
    locks: FileLocks,
    other: Process,
}

impl Stage {
    fn new() -> Self {
        watch();
        let directory = Directory::new();
        let other = Process::holder(env!("CARGO_BIN_EXE_holder"), &directory);
        Self {
            locks: FileLocks::new(&*directory),
            other,
            directory,
        }
    }

    /// The space that waits are told of.
    fn space(&self) -> String {
        self.directory.display().to_string()
    }

    fn told(&self) -> Vec<Told> {
        told(&self.space())
    }

    fn outcomes(&self) -> Vec<Outcome> {
        outcomes(&self.space())
    }

    /// Who was in the way, as it was told.
    fn holders(&self) -> Vec<String> {
        let holders = HOLDERS.lock().unwrap();
        holders.get(&self.space()).cloned().unwrap_or_default()
    }

    /// How long all waits that are over were, in nanoseconds.
    fn waited(&self) -> u64 {
        let waits = self.told().into_iter().map(|told| match told {
            Told::End(_, time) => u64::try_from(time.as_nanos()).unwrap(),
            _ => 0,
        });
        waits.sum()
    }

    /// What was waited, in nanoseconds, by who had the lock.
    fn blamed(&self) -> Vec<(String, u64)> {
        let mut folded = Vec::new();
        profile().write_folded(&mut folded).unwrap();
        let folded = String::from_utf8(folded).unwrap();
        let begin = self.space() + ";";
        let rows = folded.lines().filter_map(|line| line.strip_prefix(&begin));
        let rows = rows.map(|row| {
            let (sites, nanoseconds) = row.rsplit_once(' ').unwrap();
            let (holder, waiter) = sites.split_once(';').unwrap();
            assert!(waiter.contains("outside.rs:"), "{row}");
            (holder.to_owned(), nanoseconds.parse().unwrap())
        });
        rows.collect()
    }

    /// The value of a metric of the space, whose name and labels have these parts.
    fn metric(&self, name: &str, label: &str) -> Option<f64> {
        let stats = stats();
        let mut samples = stats.samples().filter(|sample| {
            let labels = || sample.labels().iter().map(|(_, value)| value);
            sample.name() == name
                && labels().any(|value| *value == self.space())
                && labels().any(|value| value.contains(label))
        });
        let value = samples.next()?.value();
        assert!(samples.next().is_none(), "{stats:?}");
        Some(value)
    }
}

#[test]
fn wait_for_another_process_is_told_of_with_who_has_the_lock() {
    let mut stage = Stage::new();
    in_time(move || {
        drop(stage.locks.key("a").lock().unwrap());
        stage.other.ask_for("lock a", "held");
        assert_eq!(stage.told(), []);
        let mut waiter = ByHand::new(stage.locks.key("a").lock_async());
        assert!(waiter.poll().is_pending());
        // Another waker is no other wait.
        assert!(waiter.poll().is_pending());
        let begin = Told::Begin {
            ahead: 0,
            holders: 1,
        };
        assert_eq!(stage.told(), [begin]);
        let [holder] = &stage.holders()[..] else {
            panic!("{:?}", stage.holders());
        };
        let process = format!(" in process {} (", stage.other.id());
        assert!(
            holder.contains("holder.rs:") && holder.contains(&process),
            "{holder}"
        );
        assert_eq!(stage.metric("lockutils_waiters", ""), Some(1.0));
        let oldest = stage.metric("lockutils_oldest_wait_seconds", "");
        assert!(oldest.unwrap() > 0.0);
        let blame = || stage.metric("lockutils_waiter_seconds_total", "holder.rs:");
        let before = blame().unwrap();
        eventually("who still waits is counted", || blame().unwrap() > before);
        stage.other.ask_for("release", "released");
        drop(waiter.finish().unwrap());
        assert_eq!(stage.outcomes(), [Outcome::Acquired]);
        assert_eq!(stage.metric("lockutils_waiters", ""), Some(0.0));
    });
}

#[test]
fn thread_that_blocks_in_the_kernel_is_told_of() {
    let mut stage = Stage::new();
    in_time(move || {
        stage.other.ask_for("lock a", "held");
        thread::scope(|scope| {
            let waiter = scope.spawn(|| drop(stage.locks.key("a").lock().unwrap()));
            eventually("it is told of", || stage.told().len() == 1);
            stage.other.ask_for("release", "released");
            waiter.join().unwrap();
        });
        assert_eq!(stage.outcomes(), [Outcome::Acquired]);
        // Nobody is told of who doesn't wait.
        drop(stage.locks.key("a").lock().unwrap());
        assert_eq!(stage.told().len(), 2);
    });
}

#[test]
fn each_end_of_a_wait_for_another_process_is_told_as_what_it_is() {
    let mut stage = Stage::new();
    in_time(move || {
        stage.other.ask_for("lock a", "held");
        let key = || stage.locks.key("a");
        let mut dropped = ByHand::new(key().lock_async());
        assert!(dropped.poll().is_pending());
        drop(dropped);
        let short = Duration::from_millis(1);
        assert_eq!(
            key().lock_timeout(short).unwrap_err().kind(),
            ErrorKind::Timeout
        );
        let mut timed = ByHand::new(key().lock_timeout_async(short));
        assert!(timed.poll().is_pending());
        assert!(timed.finish().is_err());
        let ends = [Outcome::Cancelled, Outcome::TimedOut, Outcome::TimedOut];
        assert_eq!(stage.outcomes(), ends);
        // Who tries doesn't wait, and is counted.
        for _ in 0..3 {
            assert_eq!(key().try_lock().unwrap_err().kind(), ErrorKind::Busy);
        }
        assert_eq!(stage.told().len(), 6);
        assert_eq!(
            stage.metric("lockutils_busy_total", "holder.rs:"),
            Some(3.0)
        );
    });
}

/// A file that somebody has removed can't be locked any more, and the next one can.
#[test]
fn file_that_is_removed_meanwhile_ends_the_wait_for_it() {
    let mut stage = Stage::new();
    in_time(move || {
        stage.other.ask_for("lock a", "held");
        let mut waiter = ByHand::new(stage.locks.key("a").lock_async());
        assert!(waiter.poll().is_pending());
        std::fs::remove_file(stage.directory.join("a")).unwrap();
        stage.other.ask_for("release", "released");
        drop(waiter.finish().unwrap());
        assert_eq!(stage.outcomes(), [Outcome::Acquired]);
    });
}

/// Two places of another program have the lock, one after the other.
#[test]
fn all_of_a_wait_is_blamed_on_those_who_had_the_lock_and_on_no_process_by_its_id() {
    let mut stage = Stage::new();
    in_time(move || {
        let mut second = Process::holder(env!("CARGO_BIN_EXE_holder"), &stage.directory);
        stage.other.ask_for("lock a", "held");
        let mut waiter = ByHand::new(stage.locks.key("a").shared().lock_async());
        assert!(waiter.poll().is_pending());
        let longs = || stage.holders().len() - 1;
        eventually("it is told of", || longs() >= 1);
        second.tell("async a");
        eventually("the second waits too", || {
            stage.locks.states().unwrap()[0].waiters == 2
        });
        stage.other.ask_for("release", "released");
        // One of them has it now.
        let was_first = waiter.poll();
        drop(was_first);
        drop(waiter);
        second.hear_of("held");
        let mut waiter = ByHand::new(stage.locks.key("a").lock_async());
        assert!(waiter.poll().is_pending());
        second.ask_for("release", "released");
        drop(waiter.finish().unwrap());
        // Another test that looks may have some of it in its hands for a moment.
        eventually("all is blamed on somebody", || {
            let blamed = stage.blamed().into_iter();
            let sum: u64 = blamed.map(|(_, nanoseconds)| nanoseconds).sum();
            sum == stage.waited()
        });
        let blamed = stage.blamed();
        assert!(blamed.len() >= 2, "{blamed:?}");
        for (holder, _) in &blamed {
            assert!(
                holder.contains("holder.rs:") && holder.ends_with(" in another process (holder)"),
                "{holder}"
            );
        }
    });
}

#[test]
fn long_wait_is_told_of_with_who_has_the_lock_by_then() {
    let mut stage = Stage::new();
    in_time(move || {
        let mut second = Process::holder(env!("CARGO_BIN_EXE_holder"), &stage.directory);
        stage.other.ask_for("shared a", "held");
        let mut waiter = ByHand::new(stage.locks.key("a").lock_async());
        assert!(waiter.poll().is_pending());
        second.ask_for("shared a", "held");
        stage.other.ask_for("release", "released");
        let process = format!(" in process {} (", second.id());
        // Who has it is noted before the event is.
        eventually("it is told of", || {
            all_told(&stage.space()).len() > 1 && stage.holders().last().unwrap().contains(&process)
        });
        let told = all_told(&stage.space());
        let [Told::Begin { .. }, Told::LongWait(time), ..] = told[..] else {
            panic!("{told:?}");
        };
        assert!(time >= Duration::from_secs(1), "{time:?}");
        second.ask_for("release", "released");
        drop(waiter.finish().unwrap());
        assert_eq!(stage.outcomes(), [Outcome::Acquired]);
    });
}

/// It has had the line, in which others of this process wait, for longer.
#[test]
fn who_has_waited_has_not_had_the_lock_meanwhile() {
    let mut stage = Stage::new();
    in_time(move || {
        let space = stage.space();
        let held = || {
            let locks = snapshot().into_iter();
            let mut lock = locks.filter(|lock| lock.space == space);
            let holders = lock.next().unwrap().holders;
            holders
                .iter()
                .find(|holder| holder.site().is_some())?
                .held_for()
        };
        stage.other.ask_for("lock a", "held");
        let mut waiter = ByHand::new(stage.locks.key("a").lock_async());
        assert!(waiter.poll().is_pending());
        assert_eq!(held(), None);
        thread::sleep(Duration::from_millis(20));
        let begin = Instant::now();
        stage.other.ask_for("release", "released");
        let guard = waiter.finish().unwrap();
        let time = held().unwrap();
        assert!(time <= begin.elapsed(), "{time:?}");
        drop(guard);
    });
}

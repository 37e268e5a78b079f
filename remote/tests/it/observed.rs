//! What is told of waits for a server's lock.

use crate::{ANSWER_TIMEOUT, LEASE, LONG, locks};
use lockutils::observe::{self, Event, Observer, Outcome};
use lockutils::{ErrorKind, Fence, stats};
use lockutils_conformance::{ByHand, eventually, in_time};
use std::sync::{Mutex, Once};
use std::time::Duration;

/// The space, what was told, and of a begin who was in the way.
static TOLD: Mutex<Vec<(String, Told)>> = Mutex::new(Vec::new());

#[derive(Clone, Debug, PartialEq)]
enum Told {
    Begin(Vec<String>),
    End(Outcome),
    Lost([String; 3], Fence),
}

struct Log;

impl Observer for Log {
    fn event(&self, event: &Event<'_>) {
        let (space, told) = match event {
            Event::WaitBegin(wait) => {
                let holders = wait.holders().iter().map(ToString::to_string);
                (wait.space(), Told::Begin(holders.collect()))
            }
            Event::WaitEnd(wait, outcome, _) => (wait.space(), Told::End(*outcome)),
            Event::Lost(loss) => {
                let (key, fence) = (loss.key().to_string(), loss.fence());
                let texts = [key, loss.who().to_string(), loss.reason().to_owned()];
                (loss.space(), Told::Lost(texts, fence))
            }
            _ => return,
        };
        TOLD.lock().unwrap().push((space.to_owned(), told));
    }
}

fn watch() {
    static SET: Once = Once::new();
    SET.call_once(|| observe::set_observer(&Log).unwrap());
}

/// What was told of a space.
fn told(space: &str) -> Vec<Told> {
    let all = TOLD.lock().unwrap();
    let told = all.iter().filter(|(of, _)| of == space);
    told.map(|(_, told)| told.clone()).collect()
}

fn ends(space: &str) -> Vec<Outcome> {
    let end = |told| match told {
        Told::End(outcome) => Some(outcome),
        Told::Begin(_) | Told::Lost(..) => None,
    };
    told(space).into_iter().filter_map(end).collect()
}

/// The sum of a metric over all series of the space that have a text in one of their labels.
fn metric(name: &str, space: &str, label: &str) -> f64 {
    let stats = stats();
    let of_space = stats.samples().filter(|sample| {
        let labels = || sample.labels().iter().map(|(_, value)| value);
        sample.name() == name
            && labels().any(|value| value == space)
            && labels().any(|value| value.contains(label))
    });
    of_space.map(lockutils::Sample::value).sum()
}

#[test]
fn wait_for_a_lock_of_another_host_is_told_of_and_a_round_trip_is_not() {
    watch();
    in_time(|| {
        let locks = locks().prefix("observed");
        let (name, other) = (locks.name(), locks.other_process());
        // The server takes its time, and the lock is free.
        locks.server().delay(Duration::from_millis(5));
        let guard = locks.key("key").lock().unwrap();
        assert_eq!(told(name), []);
        locks.server().delay(Duration::ZERO);
        let mut waiter = ByHand::new(other.key("key").lock_async());
        eventually("it waits", || {
            assert!(waiter.poll().is_pending());
            !told(name).is_empty()
        });
        let [Told::Begin(holders)] = &told(name)[..] else {
            panic!("{:?}", told(name));
        };
        let process = format!(" in process {} (", std::process::id());
        assert!(
            holders[0].contains("observed.rs:") && holders[0].contains(&process),
            "{holders:?}"
        );
        assert!((metric("lockutils_waiters", name, "") - 1.0).abs() < 0.1);
        drop(guard);
        drop(waiter.finish().unwrap());
        assert_eq!(ends(name), [Outcome::Acquired]);
        let seconds = metric("lockutils_waiter_seconds_total", name, "observed.rs:");
        assert!(seconds > 0.0);
    });
}

#[test]
fn thread_is_told_of_that_waits_for_a_server() {
    watch();
    in_time(|| {
        let locks = locks().prefix("observed thread");
        let (name, other) = (locks.name(), locks.other_process());
        let guard = locks.key("key").lock().unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| drop(other.key("key").lock().unwrap()));
            eventually("it waits", || told(name).len() == 1);
            drop(guard);
            waiter.join().unwrap();
        });
        assert_eq!(ends(name), [Outcome::Acquired]);
    });
}

#[test]
fn each_end_of_a_wait_for_a_server_is_told_as_what_it_is() {
    watch();
    in_time(|| {
        let locks = locks().prefix("observed ends");
        // Who waits finds out by the third of a lease that the server is silent.
        let other = locks
            .other_process()
            .ttl(LEASE)
            .answer_timeout(ANSWER_TIMEOUT);
        let name = locks.name();
        let guard = locks.key("key").lock().unwrap();
        let begun = |count| {
            let begins = || {
                told(name)
                    .into_iter()
                    .filter(|told| matches!(told, Told::Begin(_)))
            };
            begins().count() == count
        };
        let mut dropped = ByHand::new(other.key("key").lock_async());
        eventually("it waits", || {
            assert!(dropped.poll().is_pending());
            begun(1)
        });
        drop(dropped);
        assert_eq!(ends(name), [Outcome::Cancelled]);
        // Not over before it is asked, on a busy machine.
        let timeout = Duration::from_secs(10);
        let mut timed = ByHand::new(other.key("key").lock_timeout_async(timeout));
        eventually("it waits", || {
            assert!(timed.poll().is_pending());
            begun(2)
        });
        assert_eq!(timed.finish().unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(ends(name), [Outcome::Cancelled, Outcome::TimedOut]);
        let mut cut = ByHand::new(other.key("key").lock_async());
        eventually("it waits", || {
            assert!(cut.poll().is_pending());
            begun(3)
        });
        // In the process it would be refused by who waits.
        assert!(locks.other_process().key("key").try_lock().is_err());
        let busy = metric("lockutils_busy_total", name, "in another process (");
        assert!((busy - 1.0).abs() < 0.1, "{busy}");
        locks.server().cut();
        assert!(cut.finish().is_err());
        assert_eq!(ends(name)[2..], [Outcome::Failed]);
        locks.server().mend();
        drop(guard);
    });
}

#[test]
fn loss_is_told_of_once_with_what_was_lost() {
    watch();
    in_time(|| {
        let locks = locks().prefix("observed loss");
        let name = locks.name();
        let guard = locks.key("key").lock().unwrap();
        let released = locks.key("other").lock().unwrap();
        drop(released);
        locks.server().lose("other");
        locks.server().lose("key");
        eventually("it is told of", || told(name).len() == 1);
        assert!(guard.is_lost());
        let [Told::Lost([key, who, reason], fence)] = &told(name)[..] else {
            panic!("{:?}", told(name));
        };
        assert_eq!((key.as_str(), *fence), ("key", guard.fence()));
        assert!(who.contains("observed.rs:"), "{who}");
        assert_eq!(reason, "its server has it no longer");
        let lost = metric("lockutils_leases_lost_total", name, "");
        assert!((lost - 1.0).abs() < 0.1, "{lost}");
    });
}

#[test]
fn answers_of_the_server_are_counted_and_those_that_do_not_come() {
    watch();
    in_time(|| {
        let locks = locks().prefix("observed answers");
        let locks = locks.ttl(LEASE).answer_timeout(ANSWER_TIMEOUT);
        let name = locks.name();
        let count = |question: &str| {
            let name_of_metric = "lockutils_round_trip_duration_seconds_count";
            metric(name_of_metric, name, question)
        };
        drop(locks.key("key").lock().unwrap());
        locks.close(LONG).unwrap();
        for question in ["connect", "acquire", "release"] {
            let count = count(question);
            assert!((count - 1.0).abs() < 0.1, "{question}: {count}");
        }
        let guard = locks.key("key").lock().unwrap();
        assert_eq!(locks.states().unwrap().len(), 1);
        assert!((count("look") - 1.0).abs() < 0.1);
        let renewals = |outcome| metric("lockutils_lease_renewals_total", name, outcome);
        eventually("it is renewed", || renewals("renewed") > 0.5);
        assert!(renewals("failed") < 0.5);
        locks.server().cut();
        eventually("it is not", || renewals("failed") > 0.5);
        eventually("it is lost", || guard.is_lost());
        locks.server().mend();
        locks.server().restart(true);
        eventually("it connects again", || {
            let _ = locks.states();
            metric("lockutils_server_connects_total", name, "connected") > 2.5
        });
    });
}

#[test]
fn report_names_who_has_the_lock_on_which_host_and_what_to_do() {
    in_time(|| {
        let locks = locks().prefix("observed report");
        let (name, other) = (locks.name(), locks.other_process());
        let guard = locks.key("key").lock().unwrap();
        let mut waiter = ByHand::new(other.key("key").lock_async());
        let mut text = String::new();
        eventually("it is known who has it", || {
            assert!(waiter.poll().is_pending());
            let report = lockutils::report();
            let mut causes = report.causes().iter();
            let cause = causes.find(|cause| cause.space() == name).unwrap();
            text = cause.to_string();
            let Some(culprit) = cause.culprit() else {
                return false;
            };
            assert!(culprit.host().is_some() && culprit.since().is_some());
            assert_eq!(culprit.pid(), Some(std::process::id()));
            true
        });
        let pid = std::process::id();
        for part in [
            &format!("{name}/key\", held by "),
            "observed.rs:",
            &format!(" in process {pid} ("),
            "See what that process does, on ",
            &format!(": lockutils why {pid}"),
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        drop(guard);
        drop(waiter.finish().unwrap());
    });
}

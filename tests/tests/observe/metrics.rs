//! The metrics of locks, and their text for Prometheus.

use crate::watch;
use lockutils::engine::{Question, note_answer};
use lockutils::{Locks, Sample, stats};
use lockutils_tests::{ByHand, eventually, in_time, skip};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, thread};

/// The value of the only sample whose line begins so.
fn value(begin: &str) -> Option<f64> {
    let text = stats().to_prometheus();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(begin));
    let value = lines.next()?.trim().parse().unwrap();
    assert!(lines.next().is_none(), "{text}");
    Some(value)
}

/// A wait of some milliseconds.
fn wait(locks: &Locks, key: u32) {
    let guard = locks.key(key).lock();
    let mut waiter = ByHand::new(locks.key(key).lock_async());
    assert!(waiter.poll().is_pending());
    thread::sleep(Duration::from_millis(2));
    drop(guard);
    drop(waiter.finish());
}

/// A server answers, and doesn't.
fn ask_server() {
    for question in [
        Question::Connect,
        Question::Acquire,
        Question::Release,
        Question::Renew,
        Question::Look,
    ] {
        note_answer("a server", question, Some(Duration::from_millis(2)));
        note_answer("a server", question, None);
    }
}

/// All metrics: their names, types and labels.
const FAMILIES: [(&str, &str, &str); 18] = [
    ("wait_duration_seconds", "histogram", "space,outcome,le"),
    ("waiter_seconds_total", "counter", "space,site"),
    ("waiters", "gauge", "space"),
    ("oldest_wait_seconds", "gauge", "space"),
    ("handover_duration_seconds", "histogram", "space,le"),
    ("busy_total", "counter", "space,site"),
    ("spins_total", "counter", "space"),
    ("long_holds_total", "counter", "space,site"),
    (
        "round_trip_duration_seconds",
        "histogram",
        "space,question,le",
    ),
    ("round_trips_failed_total", "counter", "space,question"),
    ("lease_renewals_total", "counter", "space,outcome"),
    ("server_connects_total", "counter", "space,outcome"),
    ("leases_lost_total", "counter", "space"),
    ("held", "gauge", "space"),
    ("deadlocks_total", "counter", "kind"),
    ("lock_order_violations_total", "counter", ""),
    ("events_dropped_total", "counter", ""),
    ("build_info", "gauge", "version"),
];

#[test]
fn metrics_are_of_the_names_types_and_labels_that_are_documented() {
    watch();
    let odd = Locks::new("odd \"name\" of\n a \\ space");
    wait(&odd, 7);
    let guard = odd.key(7).lock();
    assert!(odd.key(7).try_lock().is_err());
    drop(guard);
    ask_server();
    let text = stats().to_prometheus();
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        let (name, kind) = line["# TYPE lockutils_".len()..].split_once(' ').unwrap();
        assert!(
            FAMILIES
                .iter()
                .any(|family| (family.0, family.1) == (name, kind)),
            "{line}"
        );
        seen.insert(name.to_owned());
    }
    // What is switched on by other tests may be there or not.
    for (name, ..) in FAMILIES
        .iter()
        .filter(|(name, ..)| !["long_holds_total", "held"].contains(name))
    {
        assert!(seen.contains(*name), "no {name} in {text}");
    }
    for sample in stats().samples() {
        let name = sample.name().strip_prefix("lockutils_").unwrap();
        let (_, _, labels) = FAMILIES
            .iter()
            .find(|family| name.starts_with(family.0))
            .unwrap();
        let labels: BTreeSet<_> = labels.split(',').collect();
        for (label, _) in sample.labels() {
            assert!(labels.contains(label), "{sample}");
        }
        assert!(sample.value() >= 0.0);
    }
    assert!(
        text.contains(r#"{space="odd \"name\" of\n a \\ space"} 0"#),
        "{text}"
    );
}

#[test]
fn promtool_has_nothing_to_say() {
    watch();
    wait(&Locks::new("promtool"), 7);
    ask_server();
    let required = env::var_os("LOCKUTILS_SERVERS").is_some_and(|set| set == "required");
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match started {
        Ok(promtool) => promtool,
        Err(error) if required => panic!("promtool: {error}"),
        Err(_) => return skip("there is no promtool"),
    };
    let text = stats().to_prometheus();
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert_eq!(String::from_utf8_lossy(&said), "");
    assert!(output.status.success());
}

/// The metrics that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|char: char| !(char.is_alphanumeric() || char == '_'));
    words
        .filter(|word| word.starts_with("lockutils_"))
        .collect()
}

#[test]
fn dashboard_and_alerts_ask_for_metrics_that_there_are() {
    watch();
    let locks = Locks::new("dashboard");
    let guard = locks.key(7).lock();
    assert!(locks.key(7).try_lock().is_err());
    drop(guard);
    wait(&locks, 7);
    ask_server();
    let stats = stats();
    let there: BTreeSet<_> = stats.samples().map(Sample::name).collect();
    for text in [include_str!("../../../docs/grafana.json"), ALERTS] {
        let named = named(text);
        assert!(named.len() >= 3 && named.is_subset(&there), "{named:?}");
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/grafana.json")).unwrap();
    assert_eq!(dashboard["panels"].as_array().unwrap().len(), 11);
}

const ALERTS: &str = include_str!("../../../docs/alerts.yml");

#[test]
fn promtool_takes_the_alerts() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/alerts.yml");
    let required = env::var_os("LOCKUTILS_SERVERS").is_some_and(|set| set == "required");
    match Command::new("promtool")
        .args(["check", "rules", path])
        .output()
    {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && said.contains("SUCCESS: 5 rules found"),
                "{said}"
            );
        }
        Err(error) if required => panic!("promtool: {error}"),
        Err(_) => skip("there is no promtool"),
    }
}

#[test]
fn answers_of_servers_are_counted_by_question() {
    watch();
    let name = "another server";
    for time in [1, 2, 3].map(Duration::from_secs) {
        note_answer(name, Question::Renew, Some(time));
    }
    note_answer(name, Question::Renew, None);
    note_answer(name, Question::Connect, None);
    let labels = "{space=\"another server\",";
    for (begin, end, count) in [
        (
            "round_trip_duration_seconds_count",
            "question=\"renew\"}",
            3.0,
        ),
        (
            "round_trip_duration_seconds_sum",
            "question=\"renew\"}",
            6.0,
        ),
        ("round_trips_failed_total", "question=\"renew\"}", 1.0),
        ("round_trips_failed_total", "question=\"look\"}", 0.0),
        ("lease_renewals_total", "outcome=\"renewed\"}", 3.0),
        ("lease_renewals_total", "outcome=\"failed\"}", 1.0),
        ("server_connects_total", "outcome=\"connected\"}", 0.0),
        ("server_connects_total", "outcome=\"failed\"}", 1.0),
    ] {
        let line = format!("lockutils_{begin}{labels}{end}");
        assert_eq!(value(&line), Some(count), "{line}");
    }
}

#[test]
fn no_number_of_keys_makes_another_series() {
    watch();
    in_time(|| {
        let locks = Locks::new("many keys");
        let series = || {
            let text = stats().to_prometheus();
            let lines = text.lines().filter(|line| line.contains("\"many keys\""));
            // That one is there only while another test has long holds told of.
            let lines = lines.filter(|line| !line.starts_with("lockutils_held"));
            let series = lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
            series.collect::<BTreeSet<_>>()
        };
        let contend = |key: u32| {
            let guard = locks.key(key).lock();
            let mut waiter = ByHand::new(locks.key(key).lock_async());
            assert!(waiter.poll().is_pending());
            drop(guard);
            drop(waiter.finish());
        };
        contend(0);
        let of_one = series();
        (1..10_000).for_each(contend);
        assert_eq!(series(), of_one);
        let count =
            "lockutils_wait_duration_seconds_count{space=\"many keys\",outcome=\"acquired\"}";
        assert_eq!(value(count), Some(10_000.0));
    });
}

#[test]
fn those_who_wait_now_are_a_gauge() {
    watch();
    in_time(|| {
        let locks = Locks::new("gauge");
        let guard = locks.key(7).lock();
        let waiters = [(); 3].map(|()| {
            let mut waiter = ByHand::new(locks.key(7).lock_async());
            assert!(waiter.poll().is_pending());
            waiter
        });
        thread::sleep(Duration::from_millis(2));
        assert_eq!(value("lockutils_waiters{space=\"gauge\"}"), Some(3.0));
        let oldest = || value("lockutils_oldest_wait_seconds{space=\"gauge\"}").unwrap();
        assert!(oldest() >= 0.002);
        drop(waiters);
        drop(guard);
        assert_eq!(value("lockutils_waiters{space=\"gauge\"}"), Some(0.0));
        assert!(oldest() <= 0.0);
    });
}

#[test]
fn refusals_and_deadlocks_are_counted() {
    watch();
    in_time(|| {
        let locks = Locks::new("refusals");
        let certain = || value("lockutils_deadlocks_total{kind=\"certain\"}").unwrap();
        let before = certain();
        let (guard, line) = (locks.key(7).lock(), line!());
        for _ in 0..3 {
            assert!(locks.key(7).try_lock().is_err());
        }
        let begin = "lockutils_busy_total{space=\"refusals\",site=\"";
        let busy = stats().to_prometheus();
        let busy: Vec<_> = busy
            .lines()
            .filter(|line| line.starts_with(begin))
            .collect();
        let [busy] = busy[..] else {
            panic!("{busy:?}");
        };
        assert!(
            busy.ends_with(&format!("metrics.rs:{line}\"}} 3")),
            "{busy}"
        );
        assert!(locks.key(7).lock_timeout(Duration::from_secs(60)).is_err());
        assert!(certain() > before);
        drop(guard);
    });
}

/// Of two threads that take a lock again and again for a moment, one gets it by a pause now and then.
#[test]
fn lock_that_is_free_after_a_pause_is_counted() {
    watch();
    in_time(|| {
        let locks = Locks::new("pauses");
        let spins = || value("lockutils_spins_total{space=\"pauses\"}").unwrap_or_default();
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    drop(locks.key(7).lock());
                }
            });
            eventually("there was a pause", || {
                (0..1000).for_each(|_| drop(locks.key(7).lock()));
                spins() > 0.0
            });
            ends.store(true, Ordering::Relaxed);
        });
    });
}

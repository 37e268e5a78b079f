//! Waits for locks as metrics of the crate `metrics`.
//!
//! In a binary of its own, since a process has one recorder.

#![forbid(unsafe_code)]

use lockutils::Locks;
use lockutils::engine::{Question, note_answer};
use lockutils_tests::{ByHand, in_time};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What was recorded, by the names and labels.
static VALUES: Mutex<BTreeMap<String, Vec<f64>>> = Mutex::new(BTreeMap::new());

/// Keeps each value.
struct Keep;

struct Value(String);

impl Value {
    fn of(key: &Key) -> Arc<Self> {
        let labels = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()));
        let labels: Vec<_> = labels.collect();
        Arc::new(Self(format!("{} {}", key.name(), labels.join(" "))))
    }

    fn add(&self, value: f64) {
        let mut values = VALUES.lock().unwrap();
        values.entry(self.0.clone()).or_default().push(value);
    }
}

impl CounterFn for Value {
    fn increment(&self, value: u64) {
        self.add(Duration::from_nanos(value).as_secs_f64());
    }

    fn absolute(&self, _: u64) {
        unreachable!("counters grow by what happens");
    }
}

impl GaugeFn for Value {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _: f64) {
        unreachable!("gauges go up and down by what happens");
    }
}

impl HistogramFn for Value {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Recorder for Keep {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Value::of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Value::of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Value::of(key))
    }
}

fn values(name: &str) -> Vec<f64> {
    VALUES
        .lock()
        .unwrap()
        .get(name)
        .cloned()
        .unwrap_or_default()
}

#[test]
fn recorder_is_told_of_waits_by_space_and_place() {
    metrics::set_global_recorder(Keep).unwrap();
    in_time(|| {
        let locks = Locks::new("facade").fair();
        let (guard, line) = (locks.key(7).lock(), line!());
        assert!(locks.key(7).try_lock().is_err());
        let mut waiter = ByHand::new(locks.key(7).lock_async());
        assert!(waiter.poll().is_pending());
        assert_eq!(values("lockutils.waiters space=facade"), [1.0]);
        thread::sleep(Duration::from_millis(5));
        drop(guard);
        drop(waiter.finish());
        assert_eq!(values("lockutils.waiters space=facade"), [1.0, -1.0]);
        let [time] = values("lockutils.wait.duration space=facade outcome=acquired")[..] else {
            panic!("one wait");
        };
        assert!(time >= 0.005);
        let site = format!("site=tests/tests/facade.rs:{line}");
        let [blamed] = values(&format!("lockutils.waiter.time space=facade {site}"))[..] else {
            panic!("one hold");
        };
        assert!((0.005..=time).contains(&blamed));
        assert_eq!(values("lockutils.handover.duration space=facade").len(), 1);
        assert_eq!(
            values(&format!("lockutils.busy space=facade {site}")).len(),
            1
        );
        let second = Some(Duration::from_secs(1));
        note_answer("a server", Question::Renew, second);
        note_answer("a server", Question::Renew, None);
        let labels = "space=a server question=renew";
        let took = values(&format!("lockutils.round_trip.duration {labels}"));
        let failed = values(&format!("lockutils.round_trips_failed {labels}"));
        assert_eq!((took.len(), failed.len()), (1, 1));
        let all = VALUES.lock().unwrap();
        assert!(
            all.keys().all(|name| !name.contains("=7")),
            "{:?}",
            all.keys()
        );
    });
}

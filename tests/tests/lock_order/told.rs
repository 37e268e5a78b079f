//! Who is told.

use super::{panic_of, run};
use lockutils::Locks;
use lockutils::observe::{self, Event, Observer};
use lockutils_tests::ByHand;
use std::sync::{Mutex, Once};

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
static OWN: Locks = Locks::new("the observer's own");

struct Log;

impl Observer for Log {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::LockOrder(order) => {
                // Its own locks are looked at by nobody.
                let _b = OWN.key("b").lock();
                let _a = OWN.key("a").lock();
                TOLD.lock().unwrap().push(order.to_string());
            }
            Event::WaitBegin(wait) if wait.space() == "waited for by who is observed" => {
                let _guard = OWN.key("c").lock();
            }
            _ => {}
        }
    }
}

fn observe() {
    static SET: Once = Once::new();
    SET.call_once(|| observe::set_observer(&Log).unwrap());
}

fn violations() -> f64 {
    let stats = lockutils::stats();
    let mut samples = stats.samples();
    let name = "lockutils_lock_order_violations_total";
    samples
        .find(|sample| sample.name() == name)
        .unwrap()
        .value()
}

#[test]
fn observer_is_told_and_it_is_counted() {
    static A: Locks = Locks::new("a that is told");
    static B: Locks = Locks::new("b that is told");
    observe();
    let before = violations();
    run(|| {
        let _a = A.key(1).lock();
        let _b = B.key(1).lock();
    });
    let text = panic_of("second", || {
        let _b = B.key(1).lock();
        let _a = A.key(1).lock();
    });
    let text = text.unwrap();
    let told = TOLD.lock().unwrap();
    let told: Vec<_> = told
        .iter()
        .filter(|told| told.contains("that is told"))
        .collect();
    assert_eq!(told, [text.strip_prefix("lockutils: ").unwrap()]);
    assert!(violations() > before);
}

#[test]
fn locks_of_an_observer_are_not_looked_at() {
    static WAITED: Locks = Locks::new("waited for by who is observed");
    observe();
    super::watch();
    let _guard = WAITED.key(1).lock();
    let mut wait = ByHand::new(WAITED.key(1).lock_async());
    assert!(wait.poll().is_pending());
    run(|| {
        let _own = OWN.key("c").lock();
        let _waited = WAITED.key(2).lock();
    });
}

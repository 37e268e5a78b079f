//! Beside `#[tracing::instrument]`: whether the wait for the lock is inside the span.

use lockutils::{is_locked, synchronized};
use lockutils_tests::eventually;
use pollster::block_on;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tracing::instrument;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[instrument]
#[synchronized("instrument: above")]
fn above() {
    assert!(is_locked("instrument: above"));
}

#[synchronized("instrument: below")]
#[instrument]
fn below() {
    assert!(is_locked("instrument: below"));
}

#[instrument]
#[synchronized("instrument: above async")]
async fn above_async() {
    assert!(is_locked("instrument: above async"));
}

#[synchronized("instrument: below async")]
#[instrument]
async fn below_async() {
    assert!(is_locked("instrument: below async"));
}

/// Notes that a span was entered.
struct Entered(Arc<AtomicBool>);

impl Subscriber for Entered {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn exit(&self, _: &Id) {}
}

/// Whether `call` has entered its span when it waits for the lock.
fn waits_inside(key: &str, call: fn()) -> bool {
    let entered = Arc::new(AtomicBool::new(false));
    let guard = lockutils::lock(key);
    thread::scope(|scope| {
        let subscriber = Entered(entered.clone());
        scope.spawn(|| tracing::subscriber::with_default(subscriber, call));
        eventually("it waits", || {
            let states = lockutils::snapshot();
            let mut states = states.iter().filter(|state| state.waiters > 0);
            states.any(|state| state.key.as_str() == key)
        });
        let waits_inside = entered.load(Ordering::SeqCst);
        drop(guard);
        waits_inside
    })
}

#[test]
fn wait_is_outside_a_span_that_is_asked_for_above() {
    assert!(!waits_inside("instrument: above", above));
    let call = || block_on(above_async());
    assert!(!waits_inside("instrument: above async", call));
}

#[test]
fn wait_is_inside_a_span_that_is_asked_for_below() {
    assert!(waits_inside("instrument: below", below));
    let call = || block_on(below_async());
    assert!(waits_inside("instrument: below async", call));
}

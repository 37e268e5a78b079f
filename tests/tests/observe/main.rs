//! What locks cost, as it is told to an observer, counted, and blamed on places in the code.
//!
//! In a binary of its own, since a process has one observer.

#![forbid(unsafe_code)]

mod blame;
mod events;
mod metrics;
mod order;
#[cfg(target_os = "linux")]
mod outside;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod probes;

use lockutils::Locks;
use lockutils::observe::{self, Event, Observer, Outcome};
use lockutils_tests::ByHand;
use std::collections::BTreeMap;
use std::sync::{Mutex, Once};
use std::time::Duration;

/// An event, as far as tests look at it.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    Begin { ahead: usize, holders: usize },
    End(Outcome, Duration),
    LongWait(Duration),
    LongHold(Duration, bool),
    NotPolled(Duration),
}

static TOLD: Mutex<BTreeMap<String, Vec<Told>>> = Mutex::new(BTreeMap::new());
/// Who was in the way, as each begin of a wait and each long wait told it.
static HOLDERS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());
static DEADLOCKS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ORDERS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static OWN: Locks = Locks::new("the observer's own");

struct Log;

impl Observer for Log {
    fn event(&self, event: &Event<'_>) {
        if let Event::WaitBegin(wait) | Event::LongWait(wait, _) = event {
            let holders = wait.holders().iter().map(ToString::to_string);
            let mut all = HOLDERS.lock().unwrap();
            let of_space = all.entry(wait.space().to_owned()).or_default();
            of_space.extend(holders);
        }
        let (space, told) = match event {
            Event::WaitBegin(wait) => {
                let (ahead, holders) = (wait.ahead(), wait.holders().len());
                (wait.space(), Told::Begin { ahead, holders })
            }
            Event::WaitEnd(wait, outcome, time) => (wait.space(), Told::End(*outcome, *time)),
            Event::LongWait(wait, time) => (wait.space(), Told::LongWait(*time)),
            Event::LongHold(hold, time) => (hold.space(), Told::LongHold(*time, hold.has_ended())),
            Event::NotPolled(wait, time) => (wait.space(), Told::NotPolled(*time)),
            Event::Deadlock(deadlock) => {
                DEADLOCKS.lock().unwrap().push(deadlock.to_string());
                return;
            }
            Event::LockOrder(order) => {
                ORDERS.lock().unwrap().push(order.to_string());
                return;
            }
            _ => return,
        };
        let mut all = TOLD.lock().unwrap();
        all.entry(space.to_owned()).or_default().push(told);
        drop(all);
        if space == "locks of an observer" {
            let _guard = OWN.key(space).lock();
            let mut again = ByHand::new(OWN.key(space).lock_async());
            assert!(again.poll().is_pending());
        }
        assert!(space != "panics of an observer", "{event:?}");
    }
}

fn watch() {
    static SET: Once = Once::new();
    SET.call_once(|| observe::set_observer(&Log).unwrap());
}

fn all_told(space: &str) -> Vec<Told> {
    TOLD.lock().unwrap().get(space).cloned().unwrap_or_default()
}

/// What was told of a space, but of what lasts, which on a busy machine anything may.
fn told(space: &str) -> Vec<Told> {
    let mut told = all_told(space);
    told.retain(|told| matches!(told, Told::Begin { .. } | Told::End(..)));
    told
}

/// How the waits in a space have ended.
fn outcomes(space: &str) -> Vec<Outcome> {
    let outcome = |told| match told {
        Told::End(outcome, _) => Some(outcome),
        _ => None,
    };
    told(space).into_iter().filter_map(outcome).collect()
}

//! Looks at suspicions again, and reports those that have lasted.
//!
//! A cycle with a task in it is looked at again when it has lasted for a second, by a thread
//! that there is only while there are such; if nobody in it has moved, it is reported. That
//! a thread blocks for a second while a task has the lock, that thread finds out itself, and has
//! [`report_block`] report it. Hooks run without the graph's mutex, and never on a thread that waits.

use super::cycle::find_block;
use super::judge::{GRAPH, Graph};
use super::search::ANYBODY;
use super::suspicions::{SUSPICION, Suspicion};
use crate::deadlock::{Deadlock, report};
use crate::observe::tell;
use crate::owner::Owner;
use crate::sync::{Mutex, MutexGuard};
use crate::table::place::Place;
use crate::table::waits::Cycle;
use crate::worker;
use std::io;
use std::thread;
use std::time::Instant;

/// Reports that a task has kept a thread from a lock for a second, once for each lock.
pub(super) fn report_block(owner: Owner, place: Place) {
    let mut graph = GRAPH.lock();
    if let Some(cycle) = graph.search(owner, place, ANYBODY) {
        // That is reported instead, as soon as it has lasted for a second.
        graph.suspect_new(owner, place, cycle);
        return leave(graph);
    }
    let Some(block) = find_block(place) else {
        return;
    };
    if !graph.suspicions.add_block(&block) {
        return;
    }
    drop(graph);
    if report_apart(block.describe_block()).is_err() {
        // The next look tries again.
        let blocks = &mut GRAPH.lock().suspicions.blocks;
        blocks.retain(|other| other.hold != block.hold);
    }
}

/// Reports a suspicion on a thread of its own: a hook may well need what the caller has, or take its
/// time.
///
/// # Errors
///
/// Where no thread can be had; then nothing is reported.
pub(crate) fn report_apart(deadlock: Deadlock) -> io::Result<()> {
    let run = Box::new(move || tell_of(&deadlock));
    worker::start("lockutils-report", None, run).map(drop)
}

/// Reports a suspicion, to all who are to know.
fn tell_of(deadlock: &Deadlock) {
    tell::deadlock(deadlock, false);
    report(deadlock);
}

/// Frees the graph, and starts the thread that looks at its suspicions if that is missing.
pub(super) fn leave(mut graph: MutexGuard<'static, Graph>) {
    let starts_watch = graph.suspicions.claim_watch();
    drop(graph);
    if starts_watch {
        start();
    }
}

fn start() {
    if cfg!(all(test, loom)) {
        return; // No second goes by in a model.
    }
    if worker::start("lockutils-watch", None, Box::new(run)).is_err() {
        GRAPH.lock().suspicions.end_watch();
    }
}

/// Lets another thread be started for the graph if this one ends by a panic.
struct Running<'a>(&'a Mutex<Graph>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().suspicions.end_watch();
        }
    }
}

fn run() {
    let _running = Running(&GRAPH);
    loop {
        let mut graph = GRAPH.lock();
        let pending = &mut graph.suspicions.pending;
        let Some((number, first)) = pending.first_key_value() else {
            graph.suspicions.end_watch();
            return;
        };
        let (number, due) = (*number, first.since + SUSPICION);
        let early = due.saturating_duration_since(Instant::now());
        if early.is_zero() {
            let suspicion = pending.remove(&number).expect("it is there");
            let reported = graph.look_again(suspicion);
            drop(graph);
            if let Some(cycle) = reported {
                tell_of(&cycle.describe());
            }
        } else {
            drop(graph);
            thread::sleep(early);
        }
    }
}

impl Graph {
    /// Looks at a suspicion that is due. Gives what is to be reported.
    fn look_again(&mut self, suspicion: Suspicion) -> Option<Cycle> {
        let Suspicion {
            owner,
            place,
            cycle,
            ..
        } = suspicion;
        if let Some(wait) = self.waits.get_mut(owner, place) {
            wait.suspicion = None;
        }
        let now = self.search(owner, place, ANYBODY)?;
        if !now.is_same(&cycle) {
            self.suspect(owner, place, now);
            return None;
        }
        if self.suspicions.is_reported(&now) {
            return None;
        }
        self.suspicions.reported.push(now.clone());
        Some(now)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn watch_that_ends_by_a_panic_can_be_started_again() {
        // One of its own, since other tests have suspicions in the process's.
        let graph = Mutex::new(Graph::new());
        let is_watched = || {
            let graph = graph.lock();
            graph.suspicions.watched.get().load(Ordering::Relaxed)
        };
        graph
            .lock()
            .suspicions
            .watched
            .get()
            .store(true, Ordering::Relaxed);
        thread::scope(|scope| {
            let watch = scope.spawn(|| {
                let _running = Running(&graph);
                assert!(is_watched());
                panic!("whatever it is that can't be");
            });
            assert!(watch.join().is_err());
        });
        assert!(!is_watched());
    }
}

//! Whether the time to serve a queue is linear in its length.
//!
//! Tasks on a Tokio runtime of one thread all wait for one lock, which is then released;
//! the time is measured until the last of them has had it.

use crate::contender::Key;
use crate::figure;
use crate::measure::{self, Plan, Run};
use crate::subject::FAIR;
use crate::target::{Reach, Target, Unit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::Mutex;
use tokio::task;

const FEW: usize = 10_000;
pub(super) const MANY: usize = 100_000;

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    static BARE: Mutex<()> = Mutex::const_new(());
    let key = Key::uuid(0).text;
    let mut runs: [Run; 6] = [
        Box::new(move |_| drained(FEW, || lockutils::lock_async(key))),
        Box::new(move |_| drained(MANY, || lockutils::lock_async(key))),
        Box::new(move |_| drained(FEW, || FAIR.key(key).lock_async())),
        Box::new(move |_| drained(MANY, || FAIR.key(key).lock_async())),
        Box::new(|_| drained(FEW, || BARE.lock())),
        Box::new(|_| drained(MANY, || BARE.lock())),
    ];
    let plan = Plan {
        rounds: plan.repeats,
        ..plan
    };
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    let target = |space, few: &[f64], many: &[f64], others| Target {
        what: format!("100,000 tasks waiting on one key, drained / 10,000 tasks, {space}"),
        reach: Reach::AtMost(12.0, Unit::Times),
        measured: measure::ratio(many, few),
        details: figure::compared(many, few) + others,
    };
    let bare = measure::ratio(&times[5], &times[4]);
    let bare = format!("; bare Tokio {}", figure::times(bare));
    vec![
        target("default space", &times[0], &times[1], &bare),
        target("`.fair()` space", &times[2], &times[3], ""),
    ]
}

/// The nanoseconds in which a queue of tasks is served.
fn drained<F>(tasks: usize, lock: impl Fn() -> F) -> f64
where
    F: Future + Send + 'static,
{
    drained_after(tasks, lock, || {})
}

/// The same, after something is done while all of them wait.
pub(super) fn drained_after<F>(tasks: usize, lock: impl Fn() -> F, then: impl FnOnce()) -> f64
where
    F: Future + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without drivers needs nothing");
    runtime.block_on(async {
        let guard = lock().await;
        let asking = Arc::new(AtomicUsize::new(0));
        let waiting: Vec<_> = (0..tasks)
            .map(|_| {
                let (lock, asking) = (lock(), Arc::clone(&asking));
                task::spawn(async move {
                    // Relaxed: the runtime has one thread.
                    asking.fetch_add(1, Ordering::Relaxed);
                    drop(lock.await);
                })
            })
            .collect();
        // A task that has begun to ask is in the queue when another one runs.
        while asking.load(Ordering::Relaxed) < tasks {
            task::yield_now().await;
        }
        then();
        let released = Instant::now();
        drop(guard);
        for task in waiting {
            task.await.expect("waiting for a lock doesn't panic");
        }
        released.elapsed().as_secs_f64() * 1e9
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_served() {
        let mutex = Arc::new(Mutex::new(0));
        let time = drained(100, || {
            let mutex = Arc::clone(&mutex);
            async move { *mutex.lock_owned().await += 1 }
        });
        // The first is the one that the tasks wait for.
        assert_eq!(*mutex.blocking_lock(), 101);
        assert!(time > 0.0);
    }
}

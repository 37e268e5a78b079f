//! How long it takes from a release to when a blocked thread runs with the lock.
//!
//! The lock is kept long enough that the other thread sleeps, and for longer than the
//! millisecond after which lockutils hands a lock over, as `parking_lot` does in a fair
//! unlock. Most of the time is the system's, to wake a thread.

use crate::contender::Key;
use crate::figure;
use crate::measure::{self, Plan, Run};
use crate::subject::FAIR;
use crate::target::{Reach, Target, Unit};
use parking_lot::{Mutex, MutexGuard};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const HELD: Duration = Duration::from_millis(2);

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    static BARE: Mutex<()> = Mutex::new(());
    let key = Key::uuid(0).text;
    let mut runs: [Run; 3] = [
        Box::new(move |length| hand_overs(length, || BARE.lock(), MutexGuard::unlock_fair)),
        Box::new(move |length| hand_overs(length, || lockutils::lock(key), drop)),
        Box::new(move |length| hand_overs(length, || FAIR.key(key).lock(), drop)),
    ];
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    let target = |space, limit, times: &[f64], reference: &[f64]| Target {
        what: format!("hand-over to a blocked thread, {space} / parking_lot's fair unlock"),
        reach: Reach::AtMost(limit, Unit::Times),
        measured: measure::ratio(times, reference),
        details: figure::compared(times, reference),
    };
    vec![
        target("default space", 1.2, &times[1], &times[0]),
        target("`.fair()` space", 1.3, &times[2], &times[0]),
    ]
}

/// The median of hand-overs for so long, in nanoseconds.
fn hand_overs<G>(length: Duration, lock: impl Fn() -> G + Sync, release: impl Fn(G)) -> f64 {
    let (asking, over) = (Barrier::new(2), AtomicBool::new(false));
    let (sender, taken) = mpsc::channel();
    let mut times = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            // So that the channel ends with the thread.
            let sender = sender;
            loop {
                asking.wait();
                // Relaxed: the barrier orders it.
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let guard = lock();
                let now = Instant::now();
                drop(guard);
                sender.send(now).expect("the receiver outlives the thread");
            }
        });
        let end = Instant::now() + length;
        while times.is_empty() || Instant::now() < end {
            let guard = lock();
            asking.wait();
            thread::sleep(HELD);
            let released = Instant::now();
            release(guard);
            let taken = taken.recv().expect("the thread goes on until it is over");
            times.push((taken - released).as_secs_f64() * 1e9);
        }
        over.store(true, Ordering::Relaxed);
        asking.wait();
    });
    measure::median(&times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_over_takes_some_time() {
        let mutex = Mutex::new(());
        let time = hand_overs(
            Duration::from_millis(5),
            || mutex.lock(),
            MutexGuard::unlock_fair,
        );
        assert!(time > 0.0);
    }
}

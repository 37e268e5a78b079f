//! Two threads brought to one point at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Lets two threads go from step to step side by side.
///
/// They watch each other rather than sleep, so that they come out closer together
/// than out of a [`Barrier`](std::sync::Barrier), which wakes one after the other.
#[derive(Debug, Default)]
pub struct Lockstep {
    steps: [AtomicUsize; 2],
}

impl Lockstep {
    /// Makes a pair that has taken no step.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until the other thread has called this as often; `side` is 0 in one of
    /// the threads and 1 in the other.
    pub fn meet(&self, side: usize) {
        let step = self.steps[side].fetch_add(1, Ordering::SeqCst) + 1;
        while self.steps[1 - side].load(Ordering::SeqCst) < step {
            // On one processor the other can't come before this one gives way.
            thread::yield_now();
        }
    }
}

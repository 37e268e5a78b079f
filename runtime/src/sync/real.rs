//! The primitives as they are.

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64};
pub(crate) use std::time::Instant;

use std::time::Duration;
use std::{hint, thread};

/// Lets some time pass, the more the later the round.
pub(crate) fn pause(round: u32) {
    if round < 4 {
        for _ in 0..1 << round {
            hint::spin_loop();
        }
    } else {
        thread::yield_now();
    }
}

/// Lets others run until they have done what is waited for.
pub(super) fn give_way(round: u32) {
    match round {
        0..64 => hint::spin_loop(),
        64..128 => thread::yield_now(),
        // A thread of a higher real-time priority would keep the processor from the one
        // it waits for.
        _ => thread::sleep(Duration::from_micros(50)),
    }
}

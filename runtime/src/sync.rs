//! The primitives that the engine is built from, in one place so that a model
//! checker can stand in for them.

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use std::time::Duration;
use std::{hint, ptr, thread};

/// A place for an optional reference to something that lives for ever.
pub(crate) struct AtomicRef<T: 'static>(AtomicPtr<T>);

impl<T> AtomicRef<T> {
    pub(crate) const fn none() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    #[inline]
    pub(crate) fn store(&self, value: Option<&'static T>, order: Ordering) {
        let value = value.map_or(ptr::null(), ptr::from_ref);
        self.0.store(value.cast_mut(), order);
    }

    #[expect(
        unsafe_code,
        reason = "a reference has to come back out of the pointer"
    )]
    pub(crate) fn load(&self, order: Ordering) -> Option<&'static T> {
        // SAFETY: the pointer is null, or was made from a `&'static T` by `store`,
        // and nothing writes through it.
        unsafe { self.0.load(order).as_ref() }
    }
}

/// Tries until `step` gives something, which somebody else brings about within a
/// few instructions, unless it was preempted there.
pub(crate) fn spin<T>(mut step: impl FnMut() -> Option<T>) -> T {
    for round in 0_u32.. {
        if let Some(value) = step() {
            return value;
        }
        match round {
            0..64 => hint::spin_loop(),
            64..128 => thread::yield_now(),
            // A thread of a higher real-time priority would keep the processor
            // from the one it waits for.
            _ => thread::sleep(Duration::from_micros(50)),
        }
    }
    unreachable!("the rounds never end")
}

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

//! Who listens to what happens where locks are waited for.
//!
//! One static byte, which a wait looks at once, when it begins; nothing that is uncontended does.
//! What has been switched on stays on.

use crate::sync::ambient::AtomicU8;
use crate::sync::{Ordering, statics};
use std::cell::Cell;

statics! {
    static LISTENERS: AtomicU8 = AtomicU8::new(BUILT_IN.0);
}

/// Who listens.
///
/// | bit | who |
/// |---|---|
/// | 0 | the counts of [`stats`](crate::stats()) and [`profile`](crate::profile()) |
/// | 1 | an observer |
/// | 2 | the facade of the crate `metrics` |
/// | 3 | a subscriber of `tracing` |
/// | 4 | a recording, or the flight recorder |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listeners(u8);

impl Listeners {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const COUNTS: Self = Self(1);
    pub(crate) const OBSERVER: Self = Self(1 << 1);
    #[cfg(feature = "metrics")]
    pub(crate) const METRICS: Self = Self(1 << 2);
    #[cfg(feature = "tracing")]
    pub(crate) const TRACING: Self = Self(1 << 3);
    pub(crate) const RECORDER: Self = Self(1 << 4);

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether somebody wants to know more of a wait than how long it was: who waits, behind whom.
    pub(crate) fn want_details(self) -> bool {
        self.has(DETAILS)
    }
}

#[cfg(not(feature = "tracing"))]
const DETAILS: Listeners = Listeners::OBSERVER;
#[cfg(feature = "tracing")]
const DETAILS: Listeners = Listeners::OBSERVER.and(Listeners::TRACING);

/// The facade can't be asked whether anybody has installed a recorder.
#[cfg(not(feature = "metrics"))]
const BUILT_IN: Listeners = Listeners::NONE;
#[cfg(feature = "metrics")]
const BUILT_IN: Listeners = Listeners::METRICS;

thread_local! {
    /// Whether the thread is in an observer, whose own locks are not observed.
    static IS_DEAF: Cell<bool> = const { Cell::new(false) };
}

/// Who listens to what this thread does.
pub(crate) fn listeners() -> Listeners {
    // Relaxed: it orders nothing, and whoever misses a listener that has just come counts as one
    // that was there before.
    let set = Listeners(LISTENERS.load(Ordering::Relaxed)).and(of_tracing());
    if !set.is_none() && IS_DEAF.get() {
        return Listeners::NONE;
    }
    set
}

#[cfg(not(feature = "tracing"))]
const fn of_tracing() -> Listeners {
    Listeners::NONE
}

#[cfg(feature = "tracing")]
fn of_tracing() -> Listeners {
    if tracing::enabled!(target: "lockutils", tracing::Level::ERROR) {
        Listeners::TRACING
    } else {
        Listeners::NONE
    }
}

/// Whether one of them listens, to whomever.
pub(crate) fn is_on(one: Listeners) -> bool {
    // Relaxed, as in `listeners`.
    Listeners(LISTENERS.load(Ordering::Relaxed)).has(one)
}

/// Whether the thread is in an observer.
pub(crate) fn is_deaf() -> bool {
    IS_DEAF.get()
}

/// Somebody listens from now on.
pub(crate) fn listen(Listeners(bit): Listeners) {
    // Relaxed, as in `listeners`.
    LISTENERS.fetch_or(bit, Ordering::Relaxed);
}

/// Calls a listener, which doesn't hear of what it does itself.
pub(crate) fn deafly(call: impl FnOnce()) {
    let was = IS_DEAF.replace(true);
    call();
    IS_DEAF.set(was);
}

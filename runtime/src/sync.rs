//! The primitives that the engine is built from, in one place so that a model
//! checker can stand in for them.

#[cfg(all(test, loom))]
#[path = "sync/modelled.rs"]
mod primitives;
#[cfg(not(all(test, loom)))]
#[path = "sync/real.rs"]
mod primitives;

pub(crate) use primitives::*;
pub(crate) use std::sync::atomic::Ordering;

/// Statics of the engine. In a model each execution has its own.
macro_rules! statics {
    ($($(pub($level:ident))? static $name:ident: $type:ty = $value:expr;)*) => {$(
        #[cfg(not(all(test, loom)))]
        $(pub($level))? static $name: $type = $value;

        #[cfg(all(test, loom))]
        loom::lazy_static! {
            $(pub($level))? static ref $name: $type = $value;
        }
    )*};
}
pub(crate) use statics;

/// The real ones always, for statics that outlive a model and that none looks at.
pub(crate) mod ambient {
    pub(crate) use parking_lot::Mutex;
    pub(crate) use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize};
}

/// How often [`spin_briefly`] tries. In a model it waits for nobody.
const BRIEFLY: u32 = if cfg!(all(test, loom)) { 1 } else { 1000 };

/// As [`spin`], for no longer than somebody who was preempted mostly stays so: some 50 milliseconds.
#[inline]
pub(crate) fn spin_briefly<T>(mut step: impl FnMut() -> Option<T>) -> Option<T> {
    (0..BRIEFLY).find_map(|round| {
        if round > 0 {
            give_way(round);
        }
        step()
    })
}

/// Tries until `step` gives something, which somebody else brings about within a
/// few instructions, unless it was preempted there.
pub(crate) fn spin<T>(mut step: impl FnMut() -> Option<T>) -> T {
    for round in 0_u32.. {
        if let Some(value) = step() {
            return value;
        }
        give_way(round);
    }
    unreachable!("the rounds never end")
}

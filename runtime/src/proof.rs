//! What a guard tells of its hold, which says of what type the guard is.

use crate::guard::{AsyncGuard, Guard};
use crate::lease::Lease;
use crate::leased::{AsyncLeaseGuard, LeaseGuard, Leased};
use crate::loss::Losable;
use crate::refusal::Refusal;
use std::fmt;

/// What a guard tells of its hold: nothing, which is `()` and makes the guards a [`Guard`] and an
/// [`AsyncGuard`]; or how it is with the hold, a [`Lease`], which makes them a [`LeaseGuard`] and
/// an [`AsyncLeaseGuard`].
///
/// No other crate implements it.
pub trait Proof: sealed::Sealed + Sized + Send + 'static {
    /// The same of all holds that a guard has.
    type All: Send + 'static;
    /// The guard of a thread.
    type Guard: Losable + fmt::Debug + 'static;
    /// The guard of a task.
    type AsyncGuard: Losable + fmt::Debug + Send + Sync + 'static;

    /// Of one hold.
    #[doc(hidden)]
    fn alone(self) -> Self::All;

    /// Of several, in the order in which they were taken.
    #[doc(hidden)]
    fn join(proofs: Vec<Self>) -> Self::All;

    /// Makes the guard.
    #[doc(hidden)]
    fn guard(all: Self::All, guard: Guard) -> Self::Guard;

    /// Makes the guard.
    #[doc(hidden)]
    fn async_guard(all: Self::All, guard: AsyncGuard) -> Self::AsyncGuard;

    /// The lease, if the hold can be lost.
    #[doc(hidden)]
    fn lease(&self) -> Option<&Lease>;

    /// Whether others in this process may be given the hold too.
    #[doc(hidden)]
    fn check(&self) -> Result<(), Refusal>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl Sealed for crate::lease::Lease {}
}

impl Proof for () {
    type All = ();
    type Guard = Guard;
    type AsyncGuard = AsyncGuard;

    #[inline]
    fn alone(self) {}

    #[inline]
    fn join(_proofs: Vec<()>) {}

    #[inline]
    fn guard(_all: (), guard: Guard) -> Guard {
        guard
    }

    #[inline]
    fn async_guard(_all: (), guard: AsyncGuard) -> AsyncGuard {
        guard
    }

    #[inline]
    fn lease(&self) -> Option<&Lease> {
        None
    }

    #[inline]
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }
}

impl Proof for Lease {
    type All = Vec<Self>;
    type Guard = LeaseGuard;
    type AsyncGuard = AsyncLeaseGuard;

    fn alone(self) -> Vec<Self> {
        vec![self]
    }

    fn join(proofs: Vec<Self>) -> Vec<Self> {
        proofs
    }

    fn guard(all: Vec<Self>, guard: Guard) -> LeaseGuard {
        Leased::new(all, guard.taken(), guard)
    }

    fn async_guard(all: Vec<Self>, guard: AsyncGuard) -> AsyncLeaseGuard {
        Leased::new(all, guard.taken(), guard)
    }

    fn lease(&self) -> Option<&Lease> {
        Some(self)
    }

    fn check(&self) -> Result<(), Refusal> {
        Self::check(self)
    }
}

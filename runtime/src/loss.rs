//! What becomes of a body whose lock can be lost: expanded code drops it, or the compiler asks.
//!
//! Whether a lock can be lost is a matter of its guard's type. As in [`returned`](crate::returned),
//! the method that the compiler finds first is the one of a [`Leased`] guard, and that of [`StaysHeld`]
//! for any other type, also for one that only the caller of a generic function knows. Such a one is looked at
//! when the function is compiled for it, by [`Losable`].

use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::leased::{Leased, Lost};
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A guard that expanded code has, and that the body hasn't.
#[derive(Debug)]
pub struct Unseen<'a, G>(StaysHeld<G>, PhantomData<&'a G>);

/// Its lock can't be lost, as far as can be told before the type is known.
#[derive(Debug)]
pub struct StaysHeld<G>(PhantomData<fn() -> G>);

impl<G> Clone for StaysHeld<G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for StaysHeld<G> {}

/// Whether the lock of a guard can be lost: of each guard that a space can have, so that a function
/// that is generic over spaces can ask.
pub trait Losable {
    /// Whether it can.
    const CAN_BE_LOST: bool;
}

impl Losable for Guard {
    const CAN_BE_LOST: bool = false;
}

impl Losable for AsyncGuard {
    const CAN_BE_LOST: bool = false;
}

impl<G> Losable for Leased<G> {
    const CAN_BE_LOST: bool = true;
}

impl<G: Losable> Losable for Option<G> {
    const CAN_BE_LOST: bool = G::CAN_BE_LOST;
}

/// The lock of a `Leased<G>`, which can be lost.
#[derive(Clone, Copy, Debug)]
pub struct MayBeLost<G>(PhantomData<G>);

/// Implemented by the answer that the lock stays held.
#[diagnostic::on_unimplemented(
    message = "this lock can be lost while the body runs",
    label = "its server may give it to others meanwhile",
    note = "have the body of an async function dropped then: add `cancel_on_loss`",
    note = "or let the body look after it: add `guard = lease`, and call `lease.check()?` between its steps, or hand on `lease.fence()` with what it writes"
)]
pub trait HeldThroughout: Sized {
    /// Does nothing.
    #[inline]
    fn check(self) {}
}

#[diagnostic::do_not_recommend]
impl<G: Losable> HeldThroughout for StaysHeld<G> {
    #[inline]
    fn check(self) {
        const {
            assert!(
                !G::CAN_BE_LOST,
                "this lock can be lost while the body runs, which a function that is generic over \
                 its space has to see to: ask for `S: Space<Machine: Machine<Failure = Error, Proof = Lease>>`, and write \
                 `cancel_on_loss` or `guard = lease`"
            );
        }
    }
}

// Of what isn't known, since there is another error already, this is the one that it could be.
#[diagnostic::do_not_recommend]
impl HeldThroughout for MayBeLost<Infallible> {}

impl<'a, G> Unseen<'a, G> {
    /// The question.
    #[inline]
    pub const fn new(_guard: &'a G) -> Self {
        Self(StaysHeld(PhantomData), PhantomData)
    }
}

impl<G> Unseen<'_, Leased<G>> {
    /// It can be lost.
    #[inline]
    #[must_use]
    pub const fn stays_held(self) -> MayBeLost<G> {
        MayBeLost(PhantomData)
    }
}

impl<G> Deref for Unseen<'_, G> {
    type Target = StaysHeld<G>;

    #[inline]
    fn deref(&self) -> &StaysHeld<G> {
        &self.0
    }
}

impl<G> StaysHeld<G> {
    /// It can't be.
    #[inline]
    #[must_use]
    pub const fn stays_held(self) -> Self {
        self
    }
}

/// A guard of a lock that can be lost, or `None` where there is no lock since its condition is
/// false.
#[diagnostic::on_unimplemented(
    message = "this lock can't be lost while the body runs, so nothing would ever cancel it",
    label = "for locks that can be lost, as those of a server",
    note = "remove `cancel_on_loss`; a lock of this process, and a lock file, is held until it is released"
)]
pub trait CanBeLost {
    /// What tells of the loss.
    fn lost(&self) -> Option<Lost>;
}

#[diagnostic::do_not_recommend]
impl<G> CanBeLost for Leased<G> {
    fn lost(&self) -> Option<Lost> {
        Some(Self::lost(self))
    }
}

#[diagnostic::do_not_recommend]
impl<G: CanBeLost> CanBeLost for Option<G> {
    fn lost(&self) -> Option<Lost> {
        self.as_ref()?.lost()
    }
}

/// A body that goes on until its lock is lost, see [`until_lost`].
#[must_use = "a future does nothing until it is awaited"]
pub struct UntilLost<'a, F> {
    lost: Option<Lost>,
    body: Pin<&'a mut F>,
}

/// Runs the body until it is done, or its lock is lost. Whoever calls this drops the body then.
/// `None` is no lock.
#[inline]
pub const fn until_lost<F: Future>(lost: Option<Lost>, body: Pin<&mut F>) -> UntilLost<'_, F> {
    UntilLost { lost, body }
}

impl<F: Future> Future for UntilLost<'_, F> {
    type Output = Result<F::Output, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { lost, body } = &mut *self;
        // First, so that a process that was stopped for long does no more with the lock.
        if let Some(error) = lost.as_ref().and_then(Lost::error) {
            return Poll::Ready(Err(error));
        }
        if let Poll::Ready(value) = body.as_mut().poll(context) {
            return Poll::Ready(Ok(value));
        }
        if let Some(lost) = lost {
            ready!(lost.poll_lost(context.waker()));
            // Not if the body has released it in this moment.
            if let Some(error) = lost.error() {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Pending
    }
}

impl<F> fmt::Debug for UntilLost<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntilLost").finish_non_exhaustive()
    }
}

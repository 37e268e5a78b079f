//! Tells expanded code whether a return type is a future or a stream, which would run after
//! the lock is released. Nothing of it runs.
//!
//! [`Returned::is_future`] is the method of a `Returned<T>` where `T` is a future. Else the
//! compiler goes on to the method of that name of [`InTheCall`], which is what a `Returned`
//! derefs to. They give different types, and [`RunsDuringTheCall`] is a trait of one of them.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;

/// A function returns a `T`.
pub struct Returned<T: ?Sized>(PhantomData<T>);

/// It has run when the call returns, as far as can be told.
#[derive(Clone, Copy, Debug)]
pub struct InTheCall;

/// It runs later.
#[derive(Clone, Copy, Debug)]
pub struct FutureOrStream;

/// Implemented by the answer that a return type is neither a future nor a stream.
#[diagnostic::on_unimplemented(
    message = "the lock would be released before this future or stream runs",
    label = "runs after the call",
    note = "in place of a future return its output: make it an `async fn`, or end the body in `async move {{ .. }}` or `Box::pin(async move {{ .. }})`; for a stream take the lock where it is consumed",
    note = "in a block with `#[synchronized]`, `#[synchronized(skip)]` leaves the method out"
)]
pub trait RunsDuringTheCall: Sized {
    /// Does nothing.
    #[inline]
    fn check(self) {}
}

#[diagnostic::do_not_recommend]
impl RunsDuringTheCall for InTheCall {}

impl<T: ?Sized> Returned<T> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

impl<T: Future + ?Sized> Returned<T> {
    /// It is one.
    #[inline]
    #[must_use]
    pub const fn is_future(self) -> FutureOrStream {
        FutureOrStream
    }
}

impl<P> Returned<Pin<P>> {
    /// It has the name of a stream, and what else would be pinned?
    #[inline]
    #[must_use]
    pub const fn is_stream(self) -> FutureOrStream {
        FutureOrStream
    }
}

impl<T: ?Sized> Deref for Returned<T> {
    type Target = InTheCall;

    #[inline]
    fn deref(&self) -> &InTheCall {
        &InTheCall
    }
}

impl InTheCall {
    /// It is none.
    #[inline]
    #[must_use]
    pub const fn is_future(self) -> Self {
        self
    }

    /// It is none.
    #[inline]
    #[must_use]
    pub const fn is_stream(self) -> Self {
        self
    }
}

impl<T: ?Sized> fmt::Debug for Returned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned").finish()
    }
}

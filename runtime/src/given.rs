//! Tells expanded code whether the space that it was given is made in the expression, and so is
//! another one at each call.
//!
//! As in [`returned`](crate::returned), the method that the compiler finds first is the one of
//! a `Given<Locks>`, and that of [`Other`] for any other type.

use crate::local::Locks;
use std::ops::Deref;

/// What an expression gave that looks as if it makes a space.
#[derive(Debug)]
pub struct Given<T>(Other<T>);

/// It is something else.
#[derive(Debug)]
pub struct Other<T>(T);

/// It is a space, which nobody else has.
#[derive(Clone, Copy, Debug)]
pub struct MadeAtEveryCall;

/// Implemented by the answer that it is something else.
#[diagnostic::on_unimplemented(
    message = "a new space at every call excludes nobody",
    label = "made anew at every call",
    note = "make it a `static` or a field, and name that"
)]
pub trait LivesOn {
    /// The same type.
    type Space;

    /// The same.
    #[must_use]
    fn checked(self) -> Self::Space;
}

#[diagnostic::do_not_recommend]
impl<T> LivesOn for &T {
    type Space = Self;

    #[inline]
    fn checked(self) -> Self {
        self
    }
}

impl<T> Given<T> {
    /// The question.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self(Other(value))
    }
}

impl Given<Locks> {
    /// It is made here.
    #[inline]
    #[must_use]
    pub const fn space(&self) -> MadeAtEveryCall {
        MadeAtEveryCall
    }
}

impl<T> Deref for Given<T> {
    type Target = Other<T>;

    #[inline]
    fn deref(&self) -> &Other<T> {
        &self.0
    }
}

impl<T> Other<T> {
    /// It is this.
    #[inline]
    pub const fn space(&self) -> &T {
        &self.0
    }
}

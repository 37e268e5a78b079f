//! A hold of the fast path, in one word.

use crate::guard::{AsyncGuard, Guard};
use crate::name::describe;
use crate::table::{self, Hold};
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};

/// A hold of the fast path, of which a guard `G` can be made. A guard has two words, of which
/// the second says that it was the fast path. As `G` is, it is a thread's or a task's.
#[doc(hidden)]
pub struct Thin<G>(u64, PhantomData<G>);

impl<G> fmt::Debug for Thin<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hold = ManuallyDrop::new(Hold::thin(self.0));
        describe(f, "Thin", &table::taken(&hold))
    }
}

impl<G> Thin<G> {
    /// Of what [`table::fast::try_take_thin`] has taken.
    #[inline]
    pub(super) const fn new(hash: u64) -> Self {
        Self(hash, PhantomData)
    }

    #[inline]
    fn into_hash(self) -> u64 {
        let hash = self.0;
        mem::forget(self);
        hash
    }
}

impl From<Thin<Self>> for Guard {
    #[inline]
    fn from(hold: Thin<Self>) -> Self {
        Self::thin(hold.into_hash())
    }
}

impl From<Thin<Self>> for AsyncGuard {
    #[inline]
    fn from(hold: Thin<Self>) -> Self {
        Self::thin(hold.into_hash())
    }
}

impl<G> Drop for Thin<G> {
    fn drop(&mut self) {
        drop(Hold::thin(self.0));
    }
}

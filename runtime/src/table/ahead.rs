//! Has memory come that a lock is about to wait for.
//!
//! Where a million locks are held, to take another one is mostly to wait for the place where its entry is to be, which
//! is in no cache. Who finds that it has to look there asks for the memory first, and meanwhile makes ready, and locks the
//! mutex. Where the places are it reads without the mutex: if it reads the old ones, or half of each, some other memory
//! comes for nothing.

use crate::sync::Ordering;
use crate::sync::ambient::AtomicUsize;

/// Where the places of a hash table are, for who hasn't locked it.
pub(super) struct Ahead {
    first: AtomicUsize,
    count: AtomicUsize,
}

/// How much memory comes at once.
const LINE: usize = 64;

impl Ahead {
    pub(super) const fn new() -> Self {
        Self {
            first: AtomicUsize::new(0),
            count: AtomicUsize::new(0),
        }
    }

    /// Says where the places are from now on.
    pub(super) fn tell<T>(&self, places: &[T]) {
        // Relaxed, here as below: nothing is read there.
        self.first.store(places.as_ptr().addr(), Ordering::Relaxed);
        self.count.store(places.len(), Ordering::Relaxed);
    }

    /// Asks for a place, which is chosen by how many there are, and for those behind it.
    #[inline]
    pub(super) fn ask_for<T>(&self, place: impl FnOnce(usize) -> usize) {
        let address = self.address::<T>(place);
        prefetch(address);
        prefetch(address.wrapping_add(LINE));
    }

    #[inline]
    pub(super) fn address<T>(&self, place: impl FnOnce(usize) -> usize) -> usize {
        let place = place(self.count.load(Ordering::Relaxed));
        let first = self.first.load(Ordering::Relaxed);
        first.wrapping_add(place.wrapping_mul(size_of::<T>()))
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
fn prefetch(address: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: it reads nothing that the program could see, and may be given any address.
    #[expect(unsafe_code, reason = "an instruction")]
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::without_provenance(address));
    }
}

/// There is no such instruction that a stable compiler knows.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline]
const fn prefetch(_address: usize) {}

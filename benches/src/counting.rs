//! The program's allocator: the system's, which counts once it is told to.
//!
//! Only a process that measures nothing else tells it to. In all others an allocation
//! costs one more read, of a flag that nobody writes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ON: AtomicBool = AtomicBool::new(false);

/// What was allocated since the counting began, less what was freed.
static LIVE: AtomicIsize = AtomicIsize::new(0);

struct Counting;

/// Starts to count.
pub(crate) fn start() {
    ON.store(true, Ordering::Relaxed);
}

/// The bytes allocated since the start, less those freed.
pub(crate) fn live_bytes() -> isize {
    LIVE.load(Ordering::Relaxed)
}

/// Relaxed, here as above: they are numbers, and order nothing else.
#[inline]
fn count(allocated: usize, freed: usize) {
    if ON.load(Ordering::Relaxed) {
        #[expect(clippy::cast_possible_wrap, reason = "no allocation is larger")]
        let grown = allocated as isize - freed as isize;
        LIVE.fetch_add(grown, Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "an allocator can't be written without")]
// SAFETY: every method is the system's, with the caller's arguments as they are, and
// counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as for `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as for `alloc`.
        unsafe { System.realloc(block, layout, size) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as for `alloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

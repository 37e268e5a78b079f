//! Functions for some processors only.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[cfg_attr(target_arch = "x86_64", target_feature(enable = "sse2"))]
#[synchronized(key = id)]
#[inline]
fn above(id: u32) -> bool {
    is_locked(id)
}

#[synchronized(key = id)]
#[cfg_attr(target_arch = "x86_64", target_feature(enable = "sse2"))]
unsafe fn below(id: u32) -> bool {
    is_locked(id)
}

fn main() {
    #[allow(unused_unsafe)]
    // SAFETY: every such processor has it.
    let locked = unsafe { above(7) && below(7) };
    assert!(locked);
}

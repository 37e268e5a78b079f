//! Arguments with attributes, also `cfg`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = id)]
fn configured(
    #[cfg(any())] missing: u32,
    #[cfg(all())] id: u32,
    #[allow(unused_variables)] unused: u32,
) -> bool {
    is_locked(id)
}

fn main() {
    assert!(configured(7, 8));
}

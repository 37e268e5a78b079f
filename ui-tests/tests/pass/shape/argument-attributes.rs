//! Arguments with attributes.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[synchronized(key = id)]
fn conditional(#[cfg(all())] id: u32, #[cfg(any())] id: Missing, #[cfg(any())] none: u32) -> bool {
    is_locked(id)
}

#[synchronized(key = id)]
fn lints(#[allow(unused_variables)] other: u32, #[allow(unused_mut)] mut id: u32) -> bool {
    is_locked(7)
}

struct Vm(u32);

impl Vm {
    #[synchronized(key = self.0)]
    async fn receiver(#[allow(unused)] &self, #[cfg_attr(all(), allow(unused))] id: u32) -> bool {
        is_locked(self.0)
    }
}

fn main() {
    assert!(conditional(7) && lints(1, 7) && block_on(Vm(7).receiver(1)));
}

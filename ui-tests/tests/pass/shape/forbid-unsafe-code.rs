//! The expansion has no unsafe code, and allows nothing that is forbidden.
#![forbid(warnings, unsafe_code, unused, future_incompatible, nonstandard_style)]

use futures::executor::block_on;
use lockutils::{Locks, is_locked, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized]
fn own() -> u32 {
    1
}

#[synchronized("vm-{id}", locks = VMS)]
fn space(id: u32) -> bool {
    VMS.key("vm-7").is_locked() && id == 7
}

#[synchronized(key = id)]
async fn task(id: u32) -> bool {
    is_locked(id)
}

fn main() {
    assert!(own() == 1 && space(7) && block_on(task(7)));
}

//! Another space.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Locks, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized(key = id, locks = VMS)]
fn space(id: u32) -> bool {
    VMS.key(id).is_locked()
}

#[synchronized("vm-{id}", locks = VMS)]
async fn space_async(id: u32) -> bool {
    VMS.key("vm-7").is_locked() && id == 7
}

fn main() {
    assert!(space(7) && block_on(space_async(7)));
}

//! Arguments in another order.
#![deny(warnings)]

use lockutils::{Locks, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized(locks = VMS, key = (host, id), crate = lockutils)]
fn all(host: &str, id: u32) -> bool {
    VMS.key((host, id)).is_locked()
}

fn main() {
    assert!(all("a", 7));
}

//! A reference to a reference to a space.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Locks, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized(key = format_args!("{}/{id}", "host"), locks = &&VMS)]
async fn space_by_reference(id: u32) -> bool {
    VMS.key("host/7").is_locked() && id == 7
}

fn main() {
    assert!(block_on(space_by_reference(7)));
}

//! Most arguments at once.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Locks, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized(
    keys = [from, to],
    locks = VMS,
    shared,
    acquire_timeout = "5s",
    or_else = |_| false,
    when = from != to,
    crate = ::lockutils,
)]
async fn compare(from: u32, to: u32) -> bool {
    VMS.key(from).is_locked() && VMS.key(to).is_locked()
}

fn main() {
    assert!(block_on(async { compare(1, 2).await && !compare(1, 1).await }));
}

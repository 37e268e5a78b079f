//! Async readers share a hold, of a text and of several keys.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("tables", shared)]
async fn read() -> bool {
    lockutils::try_lock("tables").is_err()
}

#[synchronized(keys = ["vms", "disks"], shared)]
async fn read_both() -> bool {
    lockutils::try_lock("vms").is_err() && lockutils::try_lock("disks").is_err()
}

fn main() {
    assert!(block_on(async { read().await && read_both().await }));
}

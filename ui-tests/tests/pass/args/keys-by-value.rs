//! The keys of an iterator that is used up.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[synchronized(keys = ids)]
async fn start(ids: impl Iterator<Item = u32>) -> bool {
    is_locked(1) && is_locked(2)
}

fn main() {
    assert!(block_on(start([1, 2].into_iter())));
}

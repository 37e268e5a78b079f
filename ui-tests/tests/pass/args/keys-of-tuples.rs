//! Keys of several parts each.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[synchronized(keys = ids.iter().map(|id| (host, id)))]
async fn start(host: &str, ids: &[u32]) -> bool {
    ids.iter().all(|id| is_locked((host, id)))
}

fn main() {
    assert!(block_on(start("a", &[1, 2])));
}

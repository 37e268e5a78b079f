//! The body of an async function drops the guard early.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[synchronized("a", guard = held)]
async fn run() -> bool {
    let before = is_locked("a");
    drop(held);
    std::future::ready(()).await;
    before && !is_locked("a")
}

fn main() {
    assert!(block_on(run()));
}

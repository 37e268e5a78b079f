//! A closure says what a failure of an async function is.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "1ms", or_else = |_| id)]
async fn run(id: u32) -> u32 {
    0
}

fn main() {
    assert_eq!(block_on(run(7)), 0);
    let _busy = lockutils::lock(7);
    assert_eq!(block_on(run(7)), 7);
}

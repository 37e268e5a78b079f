//! A constant is captured.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

const HOST: &str = "node";

#[synchronized("{HOST}-{id:#x}")]
async fn start(id: u32) -> bool {
    is_locked("node-0xff")
}

fn main() {
    assert!(block_on(start(255)));
}

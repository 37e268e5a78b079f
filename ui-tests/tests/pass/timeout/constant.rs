//! A constant for a duration.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, is_locked, synchronized};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

#[synchronized("a", acquire_timeout = PATIENCE)]
async fn start() -> Result<bool, Error> {
    Ok(is_locked("a"))
}

fn main() {
    assert!(block_on(start()).unwrap());
}

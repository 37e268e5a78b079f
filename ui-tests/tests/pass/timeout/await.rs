//! `.await` in the timeout of an async function.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, synchronized};
use std::time::Duration;

#[synchronized("a", acquire_timeout = patience().await)]
async fn start() -> Result<(), Error> {
    Ok(())
}

async fn patience() -> Duration {
    Duration::from_secs(1)
}

fn main() {
    assert!(block_on(start()).is_ok());
}

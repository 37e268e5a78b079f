//! `.await` in the key of an async function.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};
use std::num::ParseIntError;

#[synchronized(key = id_of(name).await?)]
async fn awaited(name: &str) -> Result<bool, ParseIntError> {
    Ok(is_locked(name))
}

async fn id_of(name: &str) -> Result<u32, ParseIntError> {
    name.parse()
}

fn main() {
    assert_eq!(block_on(awaited("7")), Ok(true));
    assert!(block_on(awaited("x")).is_err());
}

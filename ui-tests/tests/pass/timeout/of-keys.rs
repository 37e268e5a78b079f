//! One timeout for several keys.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, synchronized};

#[synchronized(keys = [from, to], acquire_timeout = "1ms")]
fn transfer(from: u32, to: u32) -> Result<(), Error> {
    Ok(())
}

fn main() {
    assert!(transfer(1, 2).is_ok());
    let _busy = block_on(lockutils::lock_async(2));
    assert_eq!(transfer(1, 2).unwrap_err().key(), Some("2"));
}

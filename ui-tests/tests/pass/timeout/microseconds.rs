//! A literal in microseconds.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};

#[synchronized("microseconds", acquire_timeout = "500us")]
fn start() -> Result<bool, Error> {
    Ok(is_locked("microseconds"))
}

fn main() {
    assert!(start().unwrap());
}

//! A literal in milliseconds.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};

#[synchronized("milliseconds", acquire_timeout = "250ms")]
fn start() -> Result<bool, Error> {
    Ok(is_locked("milliseconds"))
}

fn main() {
    assert!(start().unwrap());
}

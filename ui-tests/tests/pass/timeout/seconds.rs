//! A literal in seconds.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};

#[synchronized("seconds", acquire_timeout = "5s")]
fn start() -> Result<bool, Error> {
    Ok(is_locked("seconds"))
}

fn main() {
    assert!(start().unwrap());
}

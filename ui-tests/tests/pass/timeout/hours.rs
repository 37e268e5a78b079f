//! A literal in hours.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};

#[synchronized("hours", acquire_timeout = "1h")]
fn start() -> Result<bool, Error> {
    Ok(is_locked("hours"))
}

fn main() {
    assert!(start().unwrap());
}

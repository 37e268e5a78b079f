//! A literal in minutes.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};

#[synchronized("minutes", acquire_timeout = "2min")]
fn start() -> Result<bool, Error> {
    Ok(is_locked("minutes"))
}

fn main() {
    assert!(start().unwrap());
}

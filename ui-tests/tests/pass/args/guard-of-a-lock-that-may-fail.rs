//! The guard of a lock that was had in time.
#![deny(warnings)]

use lockutils::{Error, Guard, is_locked, synchronized};

#[synchronized("a", acquire_timeout = "5s", guard = guard)]
fn run() -> Result<Guard, Error> {
    Ok(guard)
}

fn main() {
    assert!(run().is_ok() && !is_locked("a"));
}

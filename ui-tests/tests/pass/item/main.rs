//! The program's `main`.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};

#[synchronized("main", acquire_timeout = "1h")]
fn main() -> Result<(), Error> {
    assert!(is_locked("main"));
    Ok(())
}

//! `?` in the timeout returns from the function.
#![deny(warnings)]

use lockutils::synchronized;
use std::time::Duration;

#[synchronized("a", acquire_timeout = Duration::from_millis(text.parse()?))]
fn start(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

fn main() {
    assert!(start("5").is_ok());
    assert!(start("five").is_err());
}

//! A closure goes before the return type.
#![deny(warnings)]

use lockutils::{Error, synchronized};

#[synchronized("job", nonblocking, or_else = |_| Ok(false))]
fn run() -> Result<bool, Error> {
    Ok(true)
}

fn main() {
    assert!(run().unwrap());
    let _busy = lockutils::lock("job");
    assert!(!run().unwrap());
}

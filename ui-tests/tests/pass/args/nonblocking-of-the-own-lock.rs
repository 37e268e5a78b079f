//! A function that gives up where it runs already.
#![deny(warnings)]

use lockutils::{Error, synchronized};

#[synchronized(nonblocking)]
fn run(again: bool) -> Result<(), Error> {
    if again { run(false) } else { Ok(()) }
}

fn main() {
    assert!(run(false).is_ok());
    assert!(run(true).is_err());
}

//! The error type may be a parameter.
#![deny(warnings)]

use lockutils::{Error, synchronized};
use std::io;

#[synchronized("job", nonblocking)]
fn run<E: From<Error>>() -> Result<u32, E> {
    Ok(7)
}

fn main() {
    assert_eq!(run::<io::Error>().unwrap(), 7);
    assert_eq!(run::<Error>().unwrap(), 7);
}

//! An alias of `Result` is seen through.
#![deny(warnings)]

use lockutils::{Error, synchronized};

type Answer<T, E = Error> = Result<T, E>;

#[synchronized("job", nonblocking)]
fn run() -> Answer<u32> {
    Ok(7)
}

fn main() {
    assert_eq!(run().unwrap(), 7);
}

//! The error type may be `impl Trait`; the body tells which it is.
#![deny(warnings)]

use lockutils::synchronized;
use std::io;

#[synchronized("job", nonblocking)]
fn run(text: &str) -> Result<u32, impl std::error::Error + use<>> {
    text.parse().map_err(io::Error::other)
}

fn main() {
    assert_eq!(run("7").unwrap(), 7);
    assert!(run("seven").is_err());
    let _busy = lockutils::lock("job");
    assert!(run("7").unwrap_err().to_string().contains("is busy"));
}

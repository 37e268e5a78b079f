//! A busy lock is an error.
#![deny(warnings)]

use lockutils::{Error, ErrorKind, is_locked, synchronized};

#[synchronized("job", nonblocking)]
fn run() -> Result<(), Error> {
    assert!(is_locked("job"));
    Ok(())
}

fn main() {
    assert!(run().is_ok());
    let _busy = lockutils::lock("job");
    assert_eq!(run().unwrap_err().kind(), ErrorKind::Busy);
}

//! `io::Result` has a place for it.
#![deny(warnings)]

use lockutils::{Error, synchronized};
use std::io;

#[synchronized("job", nonblocking)]
fn run() -> io::Result<()> {
    Ok(())
}

fn main() {
    assert!(run().is_ok());
    let _busy = lockutils::lock("job");
    let error = run().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(error.get_ref().unwrap().is::<Error>());
}

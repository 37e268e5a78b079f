//! A busy lock is an error of the future.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, ErrorKind, is_locked, synchronized};

#[synchronized("job", nonblocking)]
async fn run() -> Result<(), Error> {
    assert!(is_locked("job"));
    Ok(())
}

fn main() {
    assert!(block_on(run()).is_ok());
    let _busy = lockutils::lock("job");
    assert_eq!(block_on(run()).unwrap_err().kind(), ErrorKind::Busy);
}

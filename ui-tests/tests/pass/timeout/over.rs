//! What waits too long is an error, in threads and tasks.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, ErrorKind, synchronized};

#[synchronized("a", acquire_timeout = "1ms")]
fn start() -> Result<(), Error> {
    Ok(())
}

#[synchronized("a", acquire_timeout = "1ms")]
async fn start_async() -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _busy = block_on(lockutils::lock_async("a"));
    assert_eq!(start().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(block_on(start_async()).unwrap_err().kind(), ErrorKind::Timeout);
}

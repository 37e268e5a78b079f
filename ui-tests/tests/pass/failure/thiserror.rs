//! A variant of one's own error has a place for it.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, synchronized};

#[derive(Debug, thiserror::Error)]
enum ServiceError {
    #[error("the service is busy")]
    Busy(#[from] Error),
}

#[synchronized("job", nonblocking)]
async fn run() -> Result<(), ServiceError> {
    Ok(())
}

fn main() {
    assert!(block_on(run()).is_ok());
    let _busy = lockutils::lock("job");
    let ServiceError::Busy(error) = block_on(run()).unwrap_err();
    assert_eq!(error.key(), Some("job"));
}

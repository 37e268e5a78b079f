//! The output of a returned block has a place for it.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, synchronized};

#[synchronized("job", acquire_timeout = "1ms")]
fn run(text: &str) -> impl Future<Output = anyhow::Result<u32>> {
    async move { Ok(text.parse()?) }
}

fn main() {
    assert_eq!(block_on(run("7")).unwrap(), 7);
    let _busy = lockutils::lock("job");
    assert!(block_on(run("7")).unwrap_err().is::<Error>());
}

//! A method of `#[async_trait]` has a place for it.
#![deny(warnings)]

use async_trait::async_trait;
use futures::executor::block_on;
use lockutils::{Error, synchronized};

#[async_trait]
trait Run {
    async fn run(&self, text: &str) -> anyhow::Result<u32>;
}

struct Job;

#[async_trait]
impl Run for Job {
    #[synchronized("job", acquire_timeout = "1ms")]
    async fn run(&self, text: &str) -> anyhow::Result<u32> {
        Ok(text.parse()?)
    }
}

fn main() {
    assert_eq!(block_on(Job.run("7")).unwrap(), 7);
    let _busy = lockutils::lock("job");
    assert!(block_on(Job.run("7")).unwrap_err().is::<Error>());
}

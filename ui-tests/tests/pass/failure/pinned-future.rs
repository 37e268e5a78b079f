//! The output of a pinned future has a place for it.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;
use std::io;
use std::pin::Pin;

#[synchronized("job", nonblocking)]
fn run<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = io::Result<u32>> + Send + 'a>> {
    Box::pin(async move { text.parse().map_err(io::Error::other) })
}

fn main() {
    assert_eq!(block_on(run("7")).unwrap(), 7);
    let _busy = lockutils::lock("job");
    assert_eq!(block_on(run("7")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}
